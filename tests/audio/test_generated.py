"""How long a sound may be."""

import pytest

from workshop.audio.generated import MAX_SAMPLES, sample_count
from workshop.errors import UserError


def test_samples_are_those_that_are_asked_for() -> None:
    assert sample_count(7, 3.0, 8000) == 7
    assert sample_count(None, 3.0, 8000) == 24000
    assert sample_count(None, 1e-300, 8000) == 1
    assert sample_count(MAX_SAMPLES, 3.0, 8000) == MAX_SAMPLES


@pytest.mark.parametrize(("length", "seconds"), [(None, 1e308), (None, 1e9), (MAX_SAMPLES + 1, 3.0), (10**400, 3.0)])
def test_what_no_file_holds_is_refused(length: int | None, seconds: float) -> None:
    with pytest.raises(UserError, match=r"37\.3 hours at most"):
        sample_count(length, seconds, 8000)
