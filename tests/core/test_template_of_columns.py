from core.field_mapping import Column, template_of
from core.fields import FieldType


def test_a_template_made_of_columns_has_readable_keys_that_differ() -> None:
    names = ["City/Town", "N° Téléphone", "2nd line", "", "city town", "City Town"]
    fields = template_of([Column(name, (), FieldType.TEXT) for name in names])
    assert [field.key for field in fields] == [
        "city_town",
        "n_telephone",
        "c_2nd_line",
        "column",
        "city_town_2",
        "city_town_3",
    ]
    assert [field.label for field in fields] == [name or "column" for name in names]
