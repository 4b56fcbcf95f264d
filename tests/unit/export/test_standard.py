"""The tables of highdicom are the same, however they are read."""

import gc
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewer.export import standard

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(VALUES, st.sampled_from([None, 0, 2]))
def test_pieces_are_decoded_as_the_whole_is(value, indent):
    text = json.dumps(value, indent=indent)
    assert standard.loads_in_pieces(f" {text}\n") == json.loads(text)


@pytest.mark.parametrize(
    "text", ["", "{", '{"a"}', '{"a": 1', '{"a": 1,}', '{"a": 1} 2', "{1: 2}", '{"a" 1}', "{,}"]
)
def test_what_is_no_json_is_no_json_in_pieces(text):
    with pytest.raises(ValueError):
        standard.loads_in_pieces(text)


def test_highdicom_has_the_same_tables_as_when_it_reads_them_itself():
    from highdicom import _standard_utils as theirs

    theirs.get_module_attribute_map.cache_clear()
    standard.prepare()
    assert theirs.get_module_attribute_map.cache_info().currsize == 1
    ours = theirs.get_module_attribute_map()
    assert theirs.json is json
    assert gc.isenabled()
    assert ours == theirs.get_module_attribute_map.__wrapped__()
    standard.prepare()
    assert theirs.get_module_attribute_map() is ours
