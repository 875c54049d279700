#!/usr/bin/env python3
"""Reads Daybook files: an independent reader, written from SPEC.md alone (pip install lz4 xxhash zstandard).

    read_segment.py FILE              the events of a segment, one a line
    read_segment.py --json FILE       its blocks and seal, as below
    read_segment.py --manifest FILE   a manifest as JSON
    read_segment.py --active FILE     an active mark as JSON
    --length N                        look at the first N bytes only (a segment that is being written)

Every clause of SPEC.md that one file can show is checked; the first one violated is printed as
"CLAUSE at OFFSET: why" and the exit code is 1. The JSON of a segment, which `daybook dump --json` prints too:

    {"store": hex16, "segment": n, "salt": hex16, "stream": "…", "resolution": ms, "created": ms, "horizon": ms,
     "replaced": [n…], "sealed": bool, "length": bytes read,
     "blocks": [{"offset", "commit", "index", "blocks", "first", "last", "lines", "raw", "stored",
                 "codec": 0|1|2, "arrangement": 0|1|2, "runs": [[bucket, lines, bytes]…],
                 "sequences": [n…] (arrangement 1 only: one a line, in file order),
                 "deliveries": [{"key": hex32, "fingerprint": hex32, "first", "accepted", "discarded", "time"}…],
                 "sources": [{"source": hex32, "epoch", "batch", "first", "accepted", "discarded", "time"}…]}…],
     "seal": null | {"offset", "blocks", "commit", "lines", "raw", "first", "next", "first_bucket", "last_bucket",
                     "deliveries": […], "sources": […], "keys": number of index entries, "hash": hex32}}

hex16 is a u64 as a number, highest digit first; hex32 is 16 bytes as they lie in the file.
"""
import argparse, calendar, json, os, re, struct, sys, time
import lz4.block, xxhash, zstandard

MIB, NONE, DAY = 1 << 20, (1 << 64) - 1, 86400000
KINDS = {  # kind: bound of n, required sections, other sections
    b"DBKH": (64 << 10, {0x01, 0x02, 0x03}, {0x8004}),
    b"DBKM": (4 * MIB, {0x10}, {0x11, 0x12, 0x13, 0x14}),
    b"DBKS": (64 * MIB, {0x20, 0x25, 0x3F}, {0x13, 0x14, 0x21, 0x8023, 0x8024}),
    b"DBKF": (16 * MIB, {0x40, 0x02, 0x41, 0x42}, {0x43, 0x44, 0x46, 0x47, 0x48, 0x49}),
    b"DBKA": (4 << 10, {0x60}, set())}
KNOWN = set().union(*(required | other for _, required, other in KINDS.values()))
FIXED = {0x01: 24, 0x03: 24, 0x10: 64, 0x20: 72, 0x25: 16, 0x3F: 8, 0x40: 40, 0x41: 24, 0x42: 16, 0x44: 40, 0x48: 24,
         0x60: 40}
RECORD = {0x8004: 8, 0x21: 64, 0x8023: 12, 0x8024: 32, 0x43: 120, 0x46: 24, 0x49: 24}


class Violation(Exception):
    pass


def check(holds, clause, offset, why):
    if not holds:
        raise Violation(f"{clause} at {offset}: {why}")


def frame(data, at, kinds, seed):
    """The sections of the frame at `at`, as {tag: (offset, bytes)}, with its kind and where it ends."""
    check(data[at:at + 4] == b"\x5b\x2a\x4d\x18"[:len(data) - at], "F1", at, "not one of our frames")
    check(len(data) >= at + 24, "F2", at, "the frame's head is cut off")
    n, kind, version, zero, checksum = struct.unpack_from("<I4sHHQ", data, at + 4)
    end = at + 8 + n
    bound = max(KINDS[expected][0] for expected in kinds) if kind not in kinds else KINDS[kind][0]
    check(16 <= n <= bound, "F3", at + 4, f"length {n}")
    check(kind in kinds, "F4", at + 8, f"kind {kind}")
    check(version == 1 and zero == 0, "F5", at + 12, f"version {version}, {zero}")
    check(len(data) >= end, "F2", at, f"the frame should end at {end}")
    seed = seed if kind in (b"DBKM", b"DBKS") else 0
    check(xxhash.xxh3_64_intdigest(data[at + 24:end], seed) == checksum, "F6", at + 16, "checksum")
    return kind, sections(data, at + 24, end, kind), end


def sections(data, at, end, kind):
    found, previous, (_, required, other) = {}, -1, KINDS[kind]
    while at < end:
        check(at + 8 <= end, "S1", at, "a section's head is cut off")
        tag, zero, length = struct.unpack_from("<HHI", data, at)
        check(at + 8 + length <= end, "S1", at + 4, f"section {tag:#06x} passes the end of its frame")
        check(tag & 0x7FFF > previous and zero == 0, "S2", at, f"section {tag:#06x}")
        check(tag in KNOWN or tag & 0x8000, "S3", at, f"section {tag:#06x} is unknown and required")
        found[tag], previous = (at + 8, data[at + 8:at + 8 + length]), tag & 0x7FFF
        at += 8 + length
    for tag in required - found.keys():
        check(False, "S4", end, f"section {tag:#06x} is missing")
    for tag, (offset, body) in found.items():
        check(tag in required | other or tag not in KNOWN, "S4", offset - 8, f"section {tag:#06x} in {kind}")
        check(len(body) == FIXED.get(tag, len(body)), "S5", offset - 4, f"length of section {tag:#06x}")
        check(len(body) % RECORD.get(tag, 1) == 0, "S5", offset - 4, f"length of section {tag:#06x}")
        check(len(body) > 0 or tag not in KNOWN, "S5", offset - 4, f"section {tag:#06x} is empty")
    return found


def records(found, tag, form):
    return list(struct.iter_unpack("<" + form, found[tag][1])) if tag in found else []


def check_deliveries(found, tag):
    offset, body = found.get(tag, (0, b""))
    check(len(body) % 56 == 0 and len(body) <= 56 * 131072, "K1", offset, f"{len(body)} bytes of deliveries")


def deliveries(found):
    check_deliveries(found, 0x13)
    return [dict(key=k.hex(), fingerprint=f.hex(), first=s, accepted=a, discarded=d, time=t)
            for k, f, s, a, d, t in records(found, 0x13, "16s16sQIIQ")]


def sources(found):
    check_deliveries(found, 0x14)
    return [dict(source=x.hex(), epoch=e, batch=b, first=s, accepted=a, discarded=d, time=t)
            for x, e, b, s, a, d, t in records(found, 0x14, "16sQQQIIQ")]


def stream_name(found, clause):
    offset, name = found[0x02]
    check(re.fullmatch(rb"[a-z0-9-]{1,64}", name), clause, offset, "the stream's name")
    return name.decode()


def varints(body, offset, clause):
    """Every varint of a section, with the offset behind each."""
    value = shift = 0
    for i, byte in enumerate(body):
        value |= (byte & 0x7F) << shift
        check(shift < 70 and value <= NONE, clause, offset + i, "a varint is too long")
        shift += 7
        if byte < 0x80:
            check(byte or shift == 7, clause, offset + i, "a varint ends in a needless zero")
            yield value
            value = shift = 0
    check(shift == 0, clause, offset + len(body), "a varint is cut off")


def runs(found, lines, raw):
    check((0x11 in found) == (lines > 0), "R1", found[0x10][0], "runs without lines, or lines without runs")
    if not lines:
        return []
    offset, body = found[0x11]
    count, *rest = varints(body, offset, "R1")
    check(len(rest) == 3 * count, "R1", offset, f"{count} runs, {len(rest)} numbers")
    result, bucket = [], 0
    for i in range(0, len(rest), 3):
        bucket += rest[i]
        check((rest[i] or i == 0) and bucket <= NONE and rest[i + 1] and rest[i + 2], "R1", offset, f"run {i // 3}")
        result.append([bucket, rest[i + 1], rest[i + 2]])
    check(sum(r[1] for r in result) == lines, "R1", offset, "the lines do not add up")
    check(sum(r[2] for r in result) == raw, "R1", offset, "the bytes do not add up")
    return result


def sequence_column(found, block):
    """The sequences of arrangement 1; checks that the others have none."""
    first, last, lines = block["first"], block["last"], block["lines"]
    check((0x12 in found) == (block["arrangement"] == 1), "Q1", found[0x10][0], "sequence column and arrangement")
    if block["arrangement"] == 0:
        check(last == first + lines - 1, "Q1", found[0x10][0] + 32, "the last sequence")
    if block["arrangement"] != 1:
        return None
    offset, body = found[0x12]
    deltas = list(varints(body, offset, "Q1"))
    check(len(deltas) == lines, "Q1", offset, f"{len(deltas)} sequences for {lines} lines")
    result, at = [], 0
    for _, count, _ in block["runs"]:
        for i, delta in enumerate(deltas[at:at + count]):
            check(delta or i == 0, "Q1", offset, "sequences of a run do not rise")
            result.append(delta + (result[-1] if i else first))
        at += count
    check(min(result) == first and max(result) == last, "Q1", offset, "first or last sequence is not there")
    check(len(set(result)) == lines, "Q1", offset, "a sequence comes twice")
    return result


def lz4_frame(data, at, end, wanted):
    """Decodes an LZ4 frame block by block (LZ4 frame format 1.6), with the limits of D3."""
    check(data[at:at + 6] == b"\x04\x22\x4d\x18\x6c\x40" and end - at >= 23, "D3", at, "the frame's head")
    size, header_check = struct.unpack_from("<QB", data, at + 6)
    check(xxhash.xxh32_intdigest(data[at + 4:at + 14]) >> 8 & 0xFF == header_check, "D3", at + 14, "head checksum")
    check(size == wanted, "D4", at + 6, f"content size {size}, not {wanted}")
    start, at, decoded = at, at + 15, []
    while True:
        check(at + 4 <= end, "D3", at, "the frame is cut off")
        word, = struct.unpack_from("<I", data, at)
        length = word & 0x7FFFFFFF
        at += 4
        if not word:
            break
        check(at + length <= end and length <= 65536, "D3", at - 4, "a block's length")
        check(all(len(d) == 65536 for d in decoded[-1:]), "D3", at - 4, "a block in the middle is not 65,536 bytes")
        try:
            body = data[at:at + length]
            decoded.append(body if word >> 31 else lz4.block.decompress(body, uncompressed_size=65536))
        except lz4.block.LZ4BlockError as error:
            check(False, "D4", at, str(error))
        at += length
    raw = b"".join(decoded)
    check(len(raw) == size, "D4", start, f"content size {size}, decoded {len(raw)}")
    check(data[at:end] == struct.pack("<I", xxhash.xxh32_intdigest(raw)), "D4", at, "content checksum")
    return raw


def zstandard_frame(data, at, end, wanted):
    """Walks the blocks of a Zstandard frame (RFC 8878) with the limits of D3, then has it decoded whole."""
    check(data[at:at + 4] == b"\x28\xb5\x2f\xfd" and end - at >= 14, "D3", at, "the frame's head")
    form, base = {0x24: ("<B", 0), 0x64: ("<H", 256), 0xA4: ("<I", 0)}.get(data[at + 4], (None, 0))
    check(form, "D3", at, f"the frame's descriptor is {data[at + 4]:#04x}")
    size = struct.unpack_from(form, data, at + 5)[0] + base
    check(form != "<I" or size >= 65792, "D3", at, f"a content size of {size} in four bytes")
    check(size == wanted, "D4", at + 5, f"content size {size}, not {wanted}")
    position, is_last = at + 5 + struct.calcsize(form), False
    while not is_last:
        check(position + 3 <= end, "D3", at, "the frame is cut off")
        word = int.from_bytes(data[position:position + 3], "little")
        is_last, kind, length = word & 1, word >> 1 & 3, word >> 3
        check(kind != 3, "D3", at, f"the kind of the block at {position}")
        position += 3 + (1 if kind == 1 else length)
    check(position + 4 <= end, "D3", at, "the frame is cut off")
    check(position + 4 == end, "D3", position + 4, "bytes behind the frame")
    try:
        return zstandard.ZstdDecompressor().decompress(data[at:end])
    except zstandard.ZstdError as error:
        check(False, "D4", at, str(error))


def data_frame(data, at, block, checksum):
    end = at + block["stored"]
    check(end <= len(data), "D1", len(data), f"the data frame should end at {end}")
    check(xxhash.xxh3_64_intdigest(data[at:end]) == checksum, "D2", at, "checksum of the data frame")
    if block["codec"] == 1:
        raw = lz4_frame(data, at, end, block["raw"])
    else:
        raw = zstandard_frame(data, at, end, block["raw"])
    check(len(raw) == block["raw"], "D4", at, f"decodes to {len(raw)} bytes, not {block['raw']}")
    check(raw.count(b"\n") == block["lines"], "D5", at, f"{raw.count(10)} lines, not {block['lines']}")
    start = 0
    for _, lines, length in block["runs"]:
        run = raw[start:start + length]
        check(run.endswith(b"\n") and run.count(b"\n") == lines, "D5", at, f"the run at raw byte {start}")
        start += length
    return raw


def block_of(found, meta_offset, segment):
    offset, body = found[0x10]
    number, commit, index, blocks, first, last, lines, raw, stored, codec, arrangement, zero, checksum = \
        struct.unpack("<QQIIQQIIIBBHQ", body)
    check(zero == 0, "S5", offset + 54, "reserved bytes")
    check(number == segment, "B1", offset, f"block of segment {number}")
    check(commit >= 1 and index < blocks <= 65536, "B2", offset + 8, f"commit {commit}, block {index} of {blocks}")
    check(lines <= MIB and raw <= 4 * MIB and stored <= 4 * MIB + 65536, "B3", offset + 40, "lengths")
    check(first >= 1 and last >= first + lines - 1, "B3", offset + 24, f"sequences {first} to {last}")
    check(lines or (raw == stored == checksum == 0 and last == first - 1), "B3", offset + 40, "no lines, but bytes")
    check(codec <= 2 and (codec == 0) == (lines == 0), "B4", offset + 52, f"codec {codec}")
    check(arrangement <= 2, "B4", offset + 53, f"arrangement {arrangement}")
    block = dict(offset=meta_offset, commit=commit, index=index, blocks=blocks, first=first, last=last, lines=lines,
                 raw=raw, stored=stored, codec=codec, arrangement=arrangement, runs=runs(found, lines, raw))
    sequences = sequence_column(found, block)
    if sequences is not None:
        block["sequences"] = sequences
    block["deliveries"], block["sources"] = deliveries(found), sources(found)
    return block, checksum


def check_order(block, before, offset):
    """C1 and C2 of a hot segment."""
    if before and before["index"] + 1 < before["blocks"]:
        expected = (before["commit"], before["index"] + 1, before["blocks"])
    else:
        expected = (before["commit"] + 1 if before else 1, 0, block["blocks"])
    got = (block["commit"], block["index"], block["blocks"])
    check(got == expected, "C1", offset, f"commit, index, blocks {got} after {expected}")
    check(not before or block["first"] > before["last"], "C2", offset, "first sequence")


def check_cold_order(block, before, buckets, offset):
    """C1 and C2 of a cold segment; `buckets` are the last one before and the day's first and last."""
    got = (block["commit"], block["index"], block["blocks"])
    check(got == (before["commit"] + 1 if before else 1, 0, 1), "C1", offset, f"commit, index, blocks {got}")
    if not block["runs"]:
        return buckets
    first, last = block["runs"][0][0], block["runs"][-1][0]
    at, low, high = buckets or (0, first - first % DAY, first - first % DAY + DAY - 1)
    check(first >= at, "C2", offset, f"the first bucket {first} is below {at}")
    check(low <= first and last <= high, "C2", offset, f"buckets {first} to {last} are not of the day")
    return last, low, high


def index_entry(block, meta_length):
    buckets = [r[0] for r in block["runs"]] or [NONE, 0]
    return (block["offset"], buckets[0], buckets[-1], block["first"], block["last"], meta_length, block["stored"],
            block["lines"], block["raw"], block["commit"])


def seal_of(data, at, end, found, head, blocks_start, blocks, entries):
    offset, body = found[0x20]
    number, count, zero, commit, lines, raw, first, following, low, high = struct.unpack("<QIIQQQQQQQ", body)
    check(zero == 0, "S5", offset + 12, "reserved bytes")
    full = [b for b in blocks if b["lines"]]
    buckets = [r[0] for b in full for r in b["runs"]] or [0]
    check(number == head["segment"], "E1", offset, f"seal of segment {number}")
    index = records(found, 0x21, "QQQQQIIIIQ")
    check(count == len(index), "E1", offset + 8, f"{count} blocks, {len(index)} index entries")
    check(count == len(blocks), "E1", offset + 8, f"{count} blocks, {len(blocks)} in the file")
    ends = [blocks_start, *(entry[0] + entry[5] + entry[6] for entry in index)]
    check([entry[0] for entry in index] + [at] == ends, "E1", found.get(0x21, (at,))[0], "a gap between the blocks")
    for place, (entry, expected) in enumerate(zip(index, entries)):
        check(entry == expected, "E2", found[0x21][0] + 64 * place, f"entry {entry}, block {expected}")
    expected = (blocks[-1]["commit"] if blocks else 0, sum(b["lines"] for b in full), sum(b["raw"] for b in full),
                min(buckets), max(buckets))
    check((commit, lines, raw, low, high) == expected, "E1", offset + 16, f"the totals, not {expected}")
    check(first <= min((b["first"] for b in full), default=first), "E1", offset + 40, "first sequence")
    check(following > max((b["last"] for b in full), default=0) and following >= first, "E1", offset + 48,
          "next sequence")
    check(full or first == following, "E1", offset + 40, "no lines, but sequences")
    seal = dict(offset=at, blocks=count, commit=commit, lines=lines, raw=raw, first=first, next=following,
                first_bucket=low, last_bucket=high, deliveries=deliveries(found), sources=sources(found))
    check(seal["deliveries"] == [d for b in blocks for d in b["deliveries"]], "E1", found.get(0x13, (at,))[0],
          "the deliveries are not those of the blocks")
    order = [(int.from_bytes(bytes.fromhex(s["source"]), "little"), s["epoch"]) for s in seal["sources"]]
    check(order == sorted(set(order)), "E1", found.get(0x14, (at,))[0], "the sources are not in order")
    keys = records(found, 0x8023, "QI")
    check(keys == sorted(keys) and all(b < count for _, b in keys), "E1", found.get(0x8023, (at,))[0], "key index")
    file_hash = xxhash.xxh3_128_intdigest(data[:at], int(head["salt"], 16)).to_bytes(16, "little")
    check(found[0x25][1] == file_hash, "E3", found[0x25][0], "file hash")
    check(found[0x3F][1] == struct.pack("<II", end - at, 0x454B4244), "E4", found[0x3F][0], "end section")
    check(end == len(data), "E4", end, "bytes behind the seal")
    return dict(seal, keys=len(keys), hash=file_hash.hex())


def legal_resolution(resolution):
    return resolution and 86400000 % resolution == 0 and (1000 % resolution == 0 or resolution % 1000 == 0)


def segment_of(path, data, print_events):
    _, found, at = frame(data, 0, [b"DBKH"], 0)
    (store, number, salt), (resolution, created, horizon) = (records(found, t, "QQQ")[0] for t in (0x01, 0x03))
    name, directory = os.path.basename(path).split(".")[0], os.path.dirname(os.path.abspath(path))
    head = dict(store=f"{store:016x}", segment=number, salt=f"{salt:016x}", stream=stream_name(found, "H1"),
                resolution=resolution, created=created, horizon=horizon,
                replaced=[r for r, in records(found, 0x8004, "Q")])
    cold, buckets, folder = path.endswith(".ndjson.zst"), None, directory
    if cold and re.fullmatch(r"\d{4}-\d\d-\d\d", os.path.basename(directory)):
        midnight = calendar.timegm(time.strptime(os.path.basename(directory), "%Y-%m-%d")) * 1000
        buckets, folder = (0, midnight, midnight + DAY - 1), os.path.dirname(directory)
    if os.path.basename(folder) in ("hot", "cold"):
        check(head["stream"] == os.path.basename(os.path.dirname(folder)), "H1", found[0x02][0], "the directory")
    check(not re.fullmatch("[0-9]{20}", name) or number == int(name), "H3", found[0x01][0] + 8, "the file's name")
    check(legal_resolution(resolution), "H4", found[0x03][0], f"resolution {resolution}")
    check(created % resolution == 0, "H4", found[0x03][0] + 8, "the creation time is not floored")
    head_end, blocks, entries, seal = at, [], [], None
    while at < len(data):
        meta = at
        kind, found, at = frame(data, meta, [b"DBKM", b"DBKS"], salt)
        if kind == b"DBKS":
            seal = seal_of(data, meta, at, found, head, head_end, blocks, entries)
            break
        block, checksum = block_of(found, meta, number)
        before, place = blocks[-1] if blocks else None, found[0x10][0]
        if cold:
            buckets = check_cold_order(block, before, buckets, place)
        else:
            check_order(block, before, place)
        entries.append(index_entry(block, at - meta))
        blocks.append(block)
        if block["stored"]:
            raw = data_frame(data, at, block, checksum)
            at += block["stored"]
            print_events and sys.stdout.buffer.write(raw)
    check(not blocks or blocks[-1]["index"] + 1 == blocks[-1]["blocks"], "C1", at, "the last commit is not complete")
    return dict(head, sealed=seal is not None, length=at, blocks=blocks, seal=seal)


def manifest_of(data):
    _, found, end = frame(data, 0, [b"DBKF"], 0)
    check(end == len(data), "F3", end, "bytes behind the manifest")
    (store, generation, _, created), = records(found, 0x40, "QQ16sQ")
    (resolution, horizon, erased), = records(found, 0x41, "QQQ")
    (reserved, highest), = records(found, 0x42, "QQ")
    fields = ("number length hash first next first_bucket last_bucket lines raw sealed day blocks deliveries damaged "
              "cold salt").split()
    segments = []
    for place, (number, salt, length, digest, first, following, low, high, lines, raw, sealed, day, blocks, count, flags,
                zero) in enumerate(records(found, 0x43, "QQQ16sQQQQQQQIIIIQ")):
        at = found[0x43][0] + 120 * place
        check(not segments or number > segments[-1]["number"], "N1", at, "segments do not rise")
        check(flags <= 3 and zero == 0 and length <= 1 << 40, "N1", at + 108, "flags, reserved bytes or length")
        check((day != 0xFFFFFFFF) == bool(flags & 2), "N1", at + 96, f"day {day}, flags {flags}")
        check(1 <= first <= following < 1 << 63, "N1", at, "the sequences")
        check(number <= highest, "N2", at, f"segment {number} is above {highest}")
        segments.append(dict(zip(fields, (number, length, digest.hex(), first, following, low, high, lines, raw, sealed,
                                          day, blocks, count, bool(flags & 1), bool(flags & 2), f"{salt:016x}"))))
    stream = stream_name(found, "N2")
    check(legal_resolution(resolution), "N2", found[0x41][0], f"resolution {resolution}")
    top = (1 << 63) - 1
    check(1 <= reserved <= top and highest <= top, "N2", found[0x42][0], "a counter is out of bounds")
    check(generation <= top, "N2", found[0x40][0] + 8, "the generation is out of bounds")
    close, policies = records(found, 0x44, "QQQQQ"), records(found, 0x48, "QQQ")
    return dict(store=f"{store:016x}", generation=generation, created=created, stream=stream, resolution=resolution,
                horizon=horizon, erased=erased, reserved=reserved, highest=highest, segments=segments,
                close=dict(zip(("segment", "salt", "length", "commit", "next"), close[0])) if close else None,
                policies=dict(zip(("max_age", "max_bytes", "min_free"), policies[0])) if policies else None,
                tombstones=[dict(key=k.hex(), sequence=s) for k, s in records(found, 0x46, "16sQ")],
                holds=list(holds(*found.get(0x47, (0, b"")))), jobs=list(jobs(found)))


def holds(at, body):
    last, removed = 0, (2**64 - 1, 0, 0)
    while body:
        check(len(body) >= 36, "N3", at, "a hold is cut off")
        *numbers, length = struct.unpack_from("<QQQQI", body)
        check(length <= 1024 and len(body) >= 36 + length, "N3", at + 32, "a hold's reason is too long or cut off")
        check(last < numbers[0] < 2**63 - 1, "N3", at, f"hold {numbers[0]} behind {last}")
        last = numbers[0]
        if (*numbers[1:], length) == (*removed, 0):
            check(len(body) == 36, "N3", at, "a removed hold is not the last")
            return
        check(numbers[1] <= numbers[2], "N3", at, "a hold begins behind its end")
        yield dict(zip(("number", "from", "to", "created"), numbers), reason=body[36:36 + length].decode())
        at, body = at + 36 + length, body[36 + length:]


def jobs(found):
    for job, zero, run, success in records(found, 0x49, "IIQQ"):
        check(1 <= job <= 4 and zero == 0, "N3", found[0x49][0], f"job {job}")
        yield dict(job=job, run=run, success=success)


def active_of(data):
    _, found, end = frame(data, 0, [b"DBKA"], 0)
    check(end == len(data), "F3", end, "bytes behind the active mark")
    segment, salt, length, commit, following = records(found, 0x60, "QQQQQ")[0]
    check(1 <= following < 1 << 63, "A1", found[0x60][0] + 32, f"next sequence {following}")
    return dict(segment=segment, salt=f"{salt:016x}", length=length, commit=commit, next=following)


def main():
    parser = argparse.ArgumentParser(description="Reads Daybook segments, manifests and active marks.")
    parser.add_argument("file")
    parser.add_argument("--length", type=int)
    for what in ("json", "manifest", "active"):
        parser.add_argument("--" + what, action="store_true")
    options = parser.parse_args()
    with open(options.file, "rb") as file:
        data = file.read(-1 if options.length is None else options.length)
    try:
        if options.manifest or options.active:
            result = manifest_of(data) if options.manifest else active_of(data)
        else:
            result = segment_of(options.file, data, not options.json)
        if options.json or options.manifest or options.active:
            print(json.dumps(result))
        sys.stdout.flush()
    except Violation as violation:
        sys.stdout.flush()
        sys.exit(str(violation))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


if __name__ == "__main__":
    main()
