/// Appends little-endian integers, and integers as LEB128.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    mutating func put(_ value: UInt8) { bytes.append(value) }

    mutating func put<Value: FixedWidthInteger & UnsignedInteger>(_ value: Value) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func put(_ hash: Hash128) {
        put(hash.low)
        put(hash.high)
    }

    mutating func put(_ more: some Swift.Sequence<UInt8>) { bytes.append(contentsOf: more) }

    mutating func putVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func replace(at index: Int, with value: UInt32) {
        for byte in 0..<4 { bytes[index + byte] = UInt8(truncatingIfNeeded: value >> (8 * UInt32(byte))) }
    }

    mutating func replace(at index: Int, with value: UInt64) {
        for byte in 0..<8 { bytes[index + byte] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(byte))) }
    }
}

/// Reads what `ByteWriter` wrote. Running past the end, like everything else that does not fit, is
/// a fault of the clause that the reader was made for.
struct ByteReader {
    let bytes: UnsafeRawBufferPointer
    /// Where in the file `bytes` begins.
    let origin: UInt64
    let clause: Clause
    private(set) var position = 0

    init(_ bytes: UnsafeRawBufferPointer, at origin: UInt64, clause: Clause) {
        self.bytes = bytes
        self.origin = origin
        self.clause = clause
    }

    var remaining: Int { bytes.count - position }
    var fault: FormatFault { fault(at: position) }

    func fault(at position: Int) -> FormatFault { FormatFault(clause, at: origin + UInt64(position)) }

    mutating func take<Value: FixedWidthInteger & UnsignedInteger>(_: Value.Type) throws(FormatFault) -> Value {
        guard remaining >= MemoryLayout<Value>.size else { throw fault }
        let value = Value(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: Value.self))
        position += MemoryLayout<Value>.size
        return value
    }

    mutating func u8() throws(FormatFault) -> UInt8 { try take(UInt8.self) }
    mutating func u16() throws(FormatFault) -> UInt16 { try take(UInt16.self) }
    mutating func u32() throws(FormatFault) -> UInt32 { try take(UInt32.self) }
    mutating func u64() throws(FormatFault) -> UInt64 { try take(UInt64.self) }

    mutating func hash128() throws(FormatFault) -> Hash128 {
        let low = try u64()
        return Hash128(low: low, high: try u64())
    }

    mutating func raw(_ count: Int) throws(FormatFault) -> UnsafeRawBufferPointer {
        guard count >= 0, remaining >= count else { throw fault }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }

    @inline(__always)
    mutating func varint() throws(FormatFault) -> UInt64 {
        if position < bytes.count, bytes[position] < 0x80 {
            defer { position += 1 }
            return UInt64(bytes[position])
        }
        return try longVarint()
    }

    private mutating func longVarint() throws(FormatFault) -> UInt64 {
        let start = position
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            guard position < bytes.count, shift < 64 else { throw FormatFault(clause, at: origin + UInt64(start)) }
            let byte = bytes[position]
            position += 1
            let seven = UInt64(byte & 0x7F)
            guard shift < 63 || seven <= 1 else { throw FormatFault(clause, at: origin + UInt64(start)) }
            value |= seven << shift
            if byte & 0x80 == 0 {
                guard byte != 0 || shift == 0 else { throw FormatFault(clause, at: origin + UInt64(start)) }
                return value
            }
            shift += 7
        }
    }

    /// Reserved bytes: all zero, or a fault.
    mutating func zeros(_ count: Int) throws(FormatFault) {
        for _ in 0..<count {
            let here = fault
            guard try u8() == 0 else { throw here }
        }
    }

    func finished() throws(FormatFault) {
        guard remaining == 0 else { throw fault }
    }
}
