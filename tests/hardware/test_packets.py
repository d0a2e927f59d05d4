"""What holds of the packets of both families."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.hardware.buses.dynamixel import packet as dynamixel
from etude.hardware.buses.feetech import packet as feetech

# Any bytes may be parameters; a Dynamixel's hide those that look like a header.
_LOOK_ALIKES = st.lists(st.sampled_from([b"\xff", b"\xfd", dynamixel.HEADER, b"\x00", b"\xff\xff\xfd"])).map(b"".join)
_IDS = st.integers(0, dynamixel.MAX_ID) | st.just(dynamixel.BROADCAST)
_CODES = st.integers(0, 255).filter(dynamixel.Instruction.STATUS.__ne__)
PACKETS = {
    "dynamixel": st.builds(dynamixel.Packet, _IDS, _CODES, st.binary(max_size=80) | _LOOK_ALIKES),
    "feetech": st.builds(
        feetech.Packet, st.integers(0, feetech.BROADCAST), st.integers(0, 255), st.binary(max_size=248)
    ),
}
BEGINNING = {"dynamixel": b"\xff\xff\xfd", "feetech": b"\xff"}
ENCODE = {"dynamixel": dynamixel.encode, "feetech": feetech.encode}
PARSE = {"dynamixel": dynamixel.parse, "feetech": feetech.parse}

either = pytest.mark.parametrize("family", PACKETS)


@either
@given(data=st.data())
def test_what_is_encoded_is_parsed(family, data):
    sent = data.draw(st.lists(PACKETS[family], max_size=4))
    assert PARSE[family](b"".join(map(ENCODE[family], sent))) == (sent, b"")


@either
@given(data=st.data())
def test_cut_anywhere_nothing_is_lost(family, data):
    sent = [data.draw(PACKETS[family]), data.draw(PACKETS[family])]
    wire = b"".join(map(ENCODE[family], sent))
    cut = data.draw(st.integers(0, len(wire)))
    first, rest = PARSE[family](wire[:cut])
    second, nothing = PARSE[family](rest + wire[cut:])
    assert (first + second, nothing) == (sent, b"")


@either
@given(data=st.data())
def test_noise_before_a_packet_is_skipped(family, data):
    noise = data.draw(st.binary(max_size=20).filter(lambda noise: BEGINNING[family] not in noise))
    packet = data.draw(PACKETS[family])
    assert PARSE[family](noise + ENCODE[family](packet)) == ([packet], b"")


@either
@given(data=st.data())
def test_a_changed_byte_never_gives_the_same_packet(family, data):
    packet = data.draw(PACKETS[family])
    wire = bytearray(ENCODE[family](packet))
    place = data.draw(st.integers(0, len(wire) - 1))
    wire[place] ^= data.draw(st.integers(1, 255))
    assert packet not in PARSE[family](bytes(wire))[0]
