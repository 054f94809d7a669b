#!/usr/bin/env python3
"""Writes lock-records.json beside this file: test vectors for the 104-byte lock record.

Only the Python standard library, and nothing shared with any implementation, so that it can serve as an oracle:
the CRC is zlib's, and a renewal is solved as 32 linear equations over GF(2) whose coefficients are measured, bit
by bit, with zlib. An implementation that runs a CRC backwards must come to the same answer.

    make-lock-records.py            write lock-records.json
    make-lock-records.py --check    exit 1 if lock-records.json is not what would be written
"""

import json
import pathlib
import random
import struct
import sys
import zlib

SIZE = 104
MAGIC = 0x52564C46
HOST_AT, HOST_SIZE, HOST_CUT = 0x08, 64, 62
GUARD_AT = 0x47
TIME_AT = 0x48
CRC_AT = 0x64
U64_MAX = 2**64 - 1
T0 = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z
ID = bytes.fromhex("00112233445566778899aabbccddeeff")


# --- encoding ------------------------------------------------------------------------------------------------

def seal(body: bytes) -> bytes:
    """The first 100 bytes and their checksum."""
    assert len(body) == CRC_AT
    return body + struct.pack("<I", zlib.crc32(body))


def encode(pid=4711, host=b"build-7", timestamp=T0, writer_id=ID, guard=False, version=1, magic=MAGIC) -> bytes:
    cut = host[:HOST_CUT]
    field = bytearray(cut.ljust(HOST_SIZE, b"\0"))
    field[GUARD_AT - HOST_AT] = 1 if guard else 0
    return seal(struct.pack("<II", magic, pid) + bytes(field) + struct.pack("<Q", timestamp) + writer_id
                + struct.pack("<I", version))


def patched(record: bytes, at: int, replacement: bytes, reseal=True) -> bytes:
    changed = record[:at] + replacement + record[at + len(replacement):]
    return seal(changed[:CRC_AT]) if reseal else changed


def crc32c(data: bytes) -> int:
    """CRC-32C (Castagnoli), bit by bit: what a record must not be checked with."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


# --- decoding ------------------------------------------------------------------------------------------------

def decode(data: bytes):
    """(fields or None, problems)"""
    problems = []
    if len(data) != SIZE:
        problems.append("size")
    if len(data) < SIZE:
        return None, problems
    record = data[:SIZE]
    magic, pid = struct.unpack_from("<II", record, 0)
    field = record[HOST_AT:HOST_AT + HOST_SIZE]
    (timestamp,) = struct.unpack_from("<Q", record, TIME_AT)
    version, checksum = struct.unpack_from("<II", record, 0x60)
    if magic != MAGIC:
        problems.append("magic")
    if checksum != zlib.crc32(record[:CRC_AT]):
        problems.append("checksum")
    if version != 1:
        problems.append("version")
    if magic != MAGIC:
        return None, problems
    nul = field.find(b"\0")
    host = field if nul < 0 else field[:nul]
    # The guard byte is only one where a NUL closes the name before it; else it is a letter of the name.
    guard = 0 <= nul <= GUARD_AT - HOST_AT - 1 and field[GUARD_AT - HOST_AT] == 1
    try:
        text = host.decode("utf-8")
    except UnicodeDecodeError:
        text = None
    return {
        "pid": pid,
        "hostname_hex": host.hex(),
        "hostname": text,
        "guard": guard,
        "timestamp_ns": str(timestamp),
        "writer_id": record[0x50:0x60].hex(),
        "version": version,
        "checksum": checksum,
    }, problems


# --- renewal -------------------------------------------------------------------------------------------------

def crc_with(record: bytes, timestamp: int) -> int:
    return zlib.crc32(record[:TIME_AT] + struct.pack("<Q", timestamp) + record[TIME_AT + 8:CRC_AT])


def low_word(record: bytes, high: int) -> int:
    """The one low word of the timestamp with which the CRC of bytes 0x00-0x63 stays what it is now."""
    wanted = zlib.crc32(record[:CRC_AT]) ^ crc_with(record, high << 32)
    # What each bit of the low word does to the CRC does not depend on the other bits: the CRC is affine.
    rows = []  # (effect on the CRC, the bits that bring it about), kept reduced by leading bit
    base = crc_with(record, high << 32)
    for bit in range(32):
        effect, bits = crc_with(record, high << 32 | 1 << bit) ^ base, 1 << bit
        for other, other_bits in rows:
            if effect ^ other < effect:
                effect, bits = effect ^ other, bits ^ other_bits
        assert effect, "the map is a bijection, so no bit is without effect"
        rows.append((effect, bits))
        rows.sort(reverse=True)
    low = 0
    for effect, bits in rows:
        if wanted ^ effect < wanted:
            wanted, low = wanted ^ effect, low ^ bits
    assert wanted == 0
    return low


def renew(record: bytes, now: int) -> int:
    """The largest timestamp that is not after `now` and keeps the CRC; the recorded one plays no part.

    Where none exists (the clock stands in the first 4.3 s of 1970), the timestamp stays as it is."""
    high = now >> 32
    low = low_word(record, high)
    if low <= now & 0xFFFFFFFF:
        return high << 32 | low
    if high == 0:
        return struct.unpack_from("<Q", record, TIME_AT)[0]
    high -= 1
    return high << 32 | low_word(record, high)


# --- the vectors ---------------------------------------------------------------------------------------------

def valid():
    name62 = b"a.rather.long.name.of.a.machine.in.a.rack.of.some.data.centre1"
    assert len(name62) == 62
    # 61 ASCII bytes, then a letter of two bytes: the cut goes through its middle.
    split = ("n" * 61 + "\u00e9" + "xyz").encode()
    # 60 ASCII bytes, then a letter of three bytes: two of them remain.
    split3 = ("n" * 60 + "\u30ca" + "tail").encode()
    yield "ASCII host name", encode(), b"build-7"
    yield "empty host name", encode(host=b""), b""
    yield "host name of 62 bytes", encode(host=name62), name62
    yield "host name of 63 bytes, cut to 62", encode(host=name62 + b"x"), name62 + b"x"
    yield "host name of 64 bytes, cut to 62", encode(host=name62 + b"xy"), name62 + b"xy"
    yield "host name of 300 bytes, cut to 62", encode(host=b"h" * 300), b"h" * 300
    yield "UTF-8 host name", encode(host="\u30ca\u30a4\u30c8-1".encode()), "\u30ca\u30a4\u30c8-1".encode()
    yield "cut inside a letter of two bytes", encode(host=split), split
    yield "cut inside a letter of three bytes", encode(host=split3), split3
    yield "host name that is not UTF-8", encode(host=b"h\xff\xfe\x80t"), b"h\xff\xfe\x80t"
    yield "guard byte 1", encode(guard=True), b"build-7"
    yield "guard byte 1 after a name of 62 bytes", encode(host=name62, guard=True), name62
    yield "guard byte 1 and an empty host name", encode(host=b"", guard=True), b""
    yield "guard byte 7 is unknown and reads as 0", patched(encode(), GUARD_AT, b"\x07"), None
    yield "guard byte 255 is unknown and reads as 0", patched(encode(), GUARD_AT, b"\xff"), None
    yield "a name of 63 bytes in the field: the NUL stands in the guard's place", \
        patched(encode(), HOST_AT, b"k" * 63 + b"\0"), None
    yield "bytes after the first NUL are not part of the name", patched(encode(), HOST_AT, b"ab\0cd\0ef"), None
    yield "pid 0", encode(pid=0), b"build-7"
    yield "pid 2^31 - 1", encode(pid=2**31 - 1), b"build-7"
    yield "pid 2^32 - 1", encode(pid=2**32 - 1), b"build-7"
    yield "timestamp 0", encode(timestamp=0), b"build-7"
    yield "greatest timestamp", encode(timestamp=U64_MAX), b"build-7"
    yield "writer id of zeros", encode(writer_id=bytes(16)), b"build-7"
    yield "writer id of ones", encode(writer_id=b"\xff" * 16), b"build-7"


def malformed():
    good = encode(guard=True)
    yield "no bytes", b""
    for size in (1, 50, 103):
        yield f"the first {size} of 104 bytes" if size > 1 else "one byte", good[:size]
    yield "105 bytes, the first 104 good", good + b"\0"
    yield "1000 bytes, the first 104 good", good + b"\xa5" * 896
    yield "1000 bytes without a record", b"x" * 1000
    yield "bad magic, checksum right", encode(magic=0x464C5652)
    yield "bad magic, checksum wrong", patched(good, 0, b"RVF!", reseal=False)
    yield "104 zero bytes", bytes(104)
    yield "bad checksum", patched(good, CRC_AT, struct.pack("<I", zlib.crc32(good[:CRC_AT]) ^ 1), reseal=False)
    yield "checksum of zeros", patched(good, CRC_AT, bytes(4), reseal=False)
    yield "one bit of the timestamp changed", patched(good, TIME_AT, bytes([good[TIME_AT] ^ 1]), reseal=False)
    yield "CRC-32C in place of CRC-32", \
        patched(good, CRC_AT, struct.pack("<I", crc32c(good[:CRC_AT])), reseal=False)
    yield "checksum in big-endian order", \
        patched(good, CRC_AT, struct.pack(">I", zlib.crc32(good[:CRC_AT])), reseal=False)
    yield "version 0", encode(version=0)
    yield "version 2", encode(version=2)
    yield "version 2 and a bad checksum", patched(encode(version=2), CRC_AT, bytes(4), reseal=False)
    yield "torn: a new record's first half before an old one's second", \
        encode(pid=1)[:52] + encode(pid=2, writer_id=b"\x77" * 16, timestamp=T0 + 5)[52:]


def nameless():
    """Good records (no problem is listed), but no NUL ends the name: whatever stands at 0x47 belongs to it."""
    yield "no NUL in the host field", patched(encode(), HOST_AT, b"z" * 64)
    yield "no NUL in the host field, 1 as its last byte", patched(encode(), HOST_AT, b"z" * 63 + b"\x01")
    yield "no NUL in the host field, and a bad checksum", \
        patched(patched(encode(), HOST_AT, b"z" * 64), CRC_AT, bytes(4), reseal=False)


def renewals():
    rng = random.Random(104)
    plain, guarded = encode(), encode(guard=True, host=b"vectors.eu-west.example.com", pid=99)
    boundary = (T0 >> 32) + 1 << 32
    yield "ten seconds on", guarded, T0 + 10 * 10**9
    yield "the same instant", guarded, T0
    yield "one nanosecond on", guarded, T0 + 1
    yield "one nanosecond before a 2^32 boundary", guarded, boundary - 1
    yield "on a 2^32 boundary", guarded, boundary
    yield "one nanosecond after a 2^32 boundary", guarded, boundary + 1
    yield "a microsecond after a 2^32 boundary", plain, boundary + 1000
    yield "a millisecond after a 2^32 boundary", plain, boundary + 10**6
    yield "the clock stepped back by a minute", guarded, T0 - 60 * 10**9
    yield "the clock stepped back by a year", guarded, T0 - 365 * 86400 * 10**9
    yield "the clock stepped back to 1970, ten seconds in", plain, 10 * 10**9
    yield "a clock in the first 4.3 s of 1970, above the low word", plain, 2**32 - 1
    yield "a clock at 0: nothing fits, the timestamp stays", plain, 0
    yield "from timestamp 0", encode(timestamp=0), T0
    yield "from the greatest timestamp", encode(timestamp=U64_MAX), T0
    yield "now is the greatest timestamp", plain, U64_MAX
    yield "a record of CRC-32C keeps what its bytes give, not what its field says", \
        patched(guarded, CRC_AT, struct.pack("<I", crc32c(guarded[:CRC_AT])), reseal=False), T0 + 10**10
    # Exactly at the answer, and one below it: the bound is "not after now".
    exact = renew(guarded, T0 + 20 * 10**9)
    yield "now is itself a solution", guarded, exact
    yield "now is one below a solution", guarded, exact - 1
    # A chain: each renewal starts from the one before.
    record, now = encode(guard=True, pid=12345, writer_id=bytes(range(16))), T0
    for step in range(1, 11):
        now += 10 * 10**9 + rng.randrange(10**9)
        yield f"renewal {step} of a chain", record, now
        record = patched(record, TIME_AT, struct.pack("<Q", renew(record, now)), reseal=False)
    for number in range(1, 21):
        host = bytes(rng.randrange(1, 256) for _ in range(rng.randrange(0, 63)))
        stamp = rng.randrange(T0, T0 + 10**18)
        record = encode(pid=rng.randrange(2**32), host=host, timestamp=stamp, writer_id=rng.randbytes(16),
                        guard=rng.random() < 0.5)
        yield f"random record {number}", record, stamp + rng.randrange(10**9, 12 * 10**9)


def with_decode(name, data, **extra):
    fields, problems = decode(data)
    return {"name": name, **extra, "size": len(data), "hex": data.hex(), "fields": fields, "problems": problems}


def build():
    records = []
    for name, data, given in valid():
        fields, problems = decode(data)
        assert not problems and fields is not None, name
        # Where the record is one that a writer makes, its arguments are given, so that encoding can be tested too.
        source = None if given is None else {
            "pid": fields["pid"], "hostname_hex": given.hex(), "guard": fields["guard"],
            "timestamp_ns": fields["timestamp_ns"], "writer_id": fields["writer_id"]}
        records.append(with_decode(name, data, encode=source))
    for name, data in malformed():
        assert decode(data)[1], name
        records.append(with_decode(name, data, encode=None))
    for name, data in nameless():
        records.append(with_decode(name, data, encode=None))

    renewed = []
    for name, record, now in renewals():
        timestamp = renew(record, now)
        after = patched(record, TIME_AT, struct.pack("<Q", timestamp), reseal=False)
        assert after[CRC_AT:] == record[CRC_AT:]
        assert zlib.crc32(after[:CRC_AT]) == zlib.crc32(record[:CRC_AT]), name
        lag = now - timestamp
        assert 0 <= lag < 2 * 2**32 or now < 2**32, name
        renewed.append({"name": name, "hex": record.hex(), "now_ns": str(now), "timestamp_ns": str(timestamp),
                        "renewed_hex": after.hex()})
    assert len(renewed) >= 40
    return {"format": 1, "check": {"text": "123456789", "crc32": zlib.crc32(b"123456789")},
            "records": records, "renewals": renewed}


def main():
    text = json.dumps(build(), indent=1, ensure_ascii=True) + "\n"
    path = pathlib.Path(__file__).resolve().with_name("lock-records.json")
    if sys.argv[1:] == ["--check"]:
        if not path.exists() or path.read_text() != text:
            sys.exit(f"{path.name} is not what this script writes")
    elif sys.argv[1:]:
        sys.exit(__doc__)
    else:
        path.write_text(text)


if __name__ == "__main__":
    main()
