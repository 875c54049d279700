import Glibc

// The allocator keeps what is given back to it, for each thread that ever asked: tens of MiB for windows
// that are long told. So what is large comes from the system itself, and goes back to it at once.

enum LineMemory {
    private static let large = 4 << 20

    static func allocate(_ byteCount: Int) -> UnsafeMutableRawBufferPointer {
        guard byteCount >= large else { return .allocate(byteCount: byteCount, alignment: 16) }
        let access = PROT_READ | PROT_WRITE
        guard let pages = mmap(nil, byteCount, access, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), pages != MAP_FAILED else {
            fatalError("no memory for \(byteCount) bytes")
        }
        return UnsafeMutableRawBufferPointer(start: pages, count: byteCount)
    }

    static func deallocate(_ buffer: UnsafeMutableRawBufferPointer) {
        guard buffer.count >= large else { return buffer.deallocate() }
        munmap(buffer.baseAddress, buffer.count)
    }
}
