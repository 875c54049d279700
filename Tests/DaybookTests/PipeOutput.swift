import Dispatch
import Glibc

/// Lines as they come through a pipe; waits for them on a thread of its own.
final class PipeOutput: Sendable {
    private let descriptor: Int32

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    func lines(_ count: Int) async -> String {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: self.read(lines: count)) }
        }
    }

    private func read(lines count: Int) -> String {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        var found = 0
        while found < count, Glibc.read(descriptor, &byte, 1) == 1 {
            bytes.append(byte)
            if byte == 0x0A { found += 1 }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
