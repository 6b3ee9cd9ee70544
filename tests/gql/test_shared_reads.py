"""Readings that are shared by those who ask at the same time."""

import asyncio

import pytest

from gql.authz.shared_reads import SharedReads


class Book:
    """Something that is read, slowly, as it is when the reading begins."""

    def __init__(self) -> None:
        self.text = "first"
        self.readings = 0
        self.begun = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()

    async def read(self) -> str:
        self.readings += 1
        self.begun.set()
        text = self.text
        await self.open.wait()
        if text == "torn":
            raise ValueError(text)
        return text


async def test_who_ask_together_are_answered_by_one_reading() -> None:
    reads, book = SharedReads[str](), Book()
    assert await asyncio.gather(*(reads.read("a", book.read) for _ in range(100))) == ["first"] * 100
    assert book.readings == 1
    await reads.read("a", book.read)
    await asyncio.gather(reads.read("a", book.read), reads.read("b", book.read))
    assert book.readings == 4


async def test_nobody_is_told_what_was_read_before_they_asked() -> None:
    reads, book = SharedReads[str](), Book()
    book.open.clear()
    early = asyncio.create_task(reads.read("a", book.read))
    await book.begun.wait()
    book.text = "second"
    late = [asyncio.create_task(reads.read("a", book.read)) for _ in range(3)]
    await asyncio.sleep(0.01)
    book.open.set()
    assert await early == "first"
    assert await asyncio.gather(*late) == ["second"] * 3
    assert book.readings == 2


async def test_a_failure_is_told_to_all_who_waited_for_it_and_to_nobody_after() -> None:
    reads, book = SharedReads[str](), Book()
    book.text = "torn"
    book.open.clear()
    early = asyncio.create_task(reads.read("a", book.read))
    await book.begun.wait()
    book.text = "whole"
    late = asyncio.create_task(reads.read("a", book.read))
    await asyncio.sleep(0.01)
    book.open.set()
    with pytest.raises(ValueError, match="torn"):
        await early
    assert await late == "whole"


async def test_who_gives_up_does_not_take_the_answer_from_the_others() -> None:
    reads, book = SharedReads[str](), Book()
    book.open.clear()
    hasty, patient = (asyncio.create_task(reads.read("a", book.read)) for _ in range(2))
    await book.begun.wait()
    hasty.cancel()
    await asyncio.sleep(0)
    book.open.set()
    assert await patient == "first"
    assert hasty.cancelled()
