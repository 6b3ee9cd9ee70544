"""The slots that hold the search values of template fields: texts, numbers, moments, truth values."""

from sqlalchemy import BigInteger, Double
from sqlmodel import Field, SQLModel

from core.fields import SlotFamily
from db.models.columns import OrderedText

SLOT_COUNTS = {SlotFamily.TEXT: 24, SlotFamily.NUMBER: 12, SlotFamily.MOMENT: 8, SlotFamily.BOOLEAN: 8}


class SlotSet(SQLModel):
    """One set of typed slots; which field uses which slot is said by `field_definition`.

    t  folded text      n  double      d  microseconds since the epoch, UTC      b  truth value
    """

    t1: str | None = Field(default=None, sa_type=OrderedText)
    t2: str | None = Field(default=None, sa_type=OrderedText)
    t3: str | None = Field(default=None, sa_type=OrderedText)
    t4: str | None = Field(default=None, sa_type=OrderedText)
    t5: str | None = Field(default=None, sa_type=OrderedText)
    t6: str | None = Field(default=None, sa_type=OrderedText)
    t7: str | None = Field(default=None, sa_type=OrderedText)
    t8: str | None = Field(default=None, sa_type=OrderedText)
    t9: str | None = Field(default=None, sa_type=OrderedText)
    t10: str | None = Field(default=None, sa_type=OrderedText)
    t11: str | None = Field(default=None, sa_type=OrderedText)
    t12: str | None = Field(default=None, sa_type=OrderedText)
    t13: str | None = Field(default=None, sa_type=OrderedText)
    t14: str | None = Field(default=None, sa_type=OrderedText)
    t15: str | None = Field(default=None, sa_type=OrderedText)
    t16: str | None = Field(default=None, sa_type=OrderedText)
    t17: str | None = Field(default=None, sa_type=OrderedText)
    t18: str | None = Field(default=None, sa_type=OrderedText)
    t19: str | None = Field(default=None, sa_type=OrderedText)
    t20: str | None = Field(default=None, sa_type=OrderedText)
    t21: str | None = Field(default=None, sa_type=OrderedText)
    t22: str | None = Field(default=None, sa_type=OrderedText)
    t23: str | None = Field(default=None, sa_type=OrderedText)
    t24: str | None = Field(default=None, sa_type=OrderedText)
    n1: float | None = Field(default=None, sa_type=Double)
    n2: float | None = Field(default=None, sa_type=Double)
    n3: float | None = Field(default=None, sa_type=Double)
    n4: float | None = Field(default=None, sa_type=Double)
    n5: float | None = Field(default=None, sa_type=Double)
    n6: float | None = Field(default=None, sa_type=Double)
    n7: float | None = Field(default=None, sa_type=Double)
    n8: float | None = Field(default=None, sa_type=Double)
    n9: float | None = Field(default=None, sa_type=Double)
    n10: float | None = Field(default=None, sa_type=Double)
    n11: float | None = Field(default=None, sa_type=Double)
    n12: float | None = Field(default=None, sa_type=Double)
    d1: int | None = Field(default=None, sa_type=BigInteger)
    d2: int | None = Field(default=None, sa_type=BigInteger)
    d3: int | None = Field(default=None, sa_type=BigInteger)
    d4: int | None = Field(default=None, sa_type=BigInteger)
    d5: int | None = Field(default=None, sa_type=BigInteger)
    d6: int | None = Field(default=None, sa_type=BigInteger)
    d7: int | None = Field(default=None, sa_type=BigInteger)
    d8: int | None = Field(default=None, sa_type=BigInteger)
    b1: bool | None = Field(default=None)
    b2: bool | None = Field(default=None)
    b3: bool | None = Field(default=None)
    b4: bool | None = Field(default=None)
    b5: bool | None = Field(default=None)
    b6: bool | None = Field(default=None)
    b7: bool | None = Field(default=None)
    b8: bool | None = Field(default=None)
