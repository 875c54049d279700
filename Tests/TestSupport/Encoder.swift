import BodyDecoding
import CLZ4
import CZlib
import CZstd

/// Frames as other programs write them.
public enum Encoder {
    public static func encode(_ raw: [UInt8], _ coding: BodyCoding) -> [UInt8] {
        switch coding {
        case .gzip: gzip(raw)
        case .lz4: lz4(raw)
        case .zstd: zstd(raw)
        }
    }

    public static func gzip(_ raw: [UInt8], level: Int32 = 6) -> [UInt8] {
        var stream = z_stream()
        let size = Int32(MemoryLayout<z_stream>.size)
        precondition(
            deflateInit2_(&stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size) == Z_OK)
        defer { deflateEnd(&stream) }
        return made(atMost: Int(deflateBound(&stream, UInt(raw.count)))) { place in
            raw.withUnsafeBytes { raw in
                stream.next_in = UnsafeMutableRawPointer(mutating: raw.baseAddress)?.assumingMemoryBound(to: Bytef.self)
                stream.avail_in = uInt(raw.count)
                stream.next_out = place.baseAddress?.assumingMemoryBound(to: Bytef.self)
                stream.avail_out = uInt(place.count)
                precondition(deflate(&stream, Z_FINISH) == Z_STREAM_END)
                return Int(stream.total_out)
            }
        }
    }

    /// What a frame's descriptor says of it.
    public struct LZ4Form: Sendable, CaseIterable {
        var blockSize = LZ4F_max64KB
        var isLinked = false
        var hasSize = false
        var checksBlocks = true
        var checksContent = true

        public init(checksBlocks: Bool = true) { self.checksBlocks = checksBlocks }

        private init(_ blockSize: LZ4F_blockSizeID_t, isLinked: Bool, checksums: Int) {
            (self.blockSize, self.isLinked, hasSize) = (blockSize, isLinked, checksums == 0)
            (checksBlocks, checksContent) = (checksums == 2, checksums > 0)
        }

        public static let allCases: [LZ4Form] = [LZ4F_max64KB, LZ4F_max256KB, LZ4F_max1MB, LZ4F_max4MB].flatMap {
            size in
            [false, true].flatMap { linked in (0...2).map { LZ4Form(size, isLinked: linked, checksums: $0) } }
        }
    }

    public static func lz4(_ raw: [UInt8], _ form: LZ4Form = LZ4Form()) -> [UInt8] {
        var preferences = LZ4F_preferences_t()
        preferences.frameInfo.blockSizeID = form.blockSize
        preferences.frameInfo.blockMode = form.isLinked ? LZ4F_blockLinked : LZ4F_blockIndependent
        preferences.frameInfo.contentSize = form.hasSize ? UInt64(raw.count) : 0
        preferences.frameInfo.contentChecksumFlag =
            form.checksContent ? LZ4F_contentChecksumEnabled : LZ4F_noContentChecksum
        preferences.frameInfo.blockChecksumFlag = form.checksBlocks ? LZ4F_blockChecksumEnabled : LZ4F_noBlockChecksum
        return made(atMost: LZ4F_compressFrameBound(raw.count, &preferences)) { place in
            LZ4F_compressFrame(place.baseAddress, place.count, raw, raw.count, &preferences)
        }
    }

    public static func zstd(_ raw: [UInt8], windowLog: Int32? = nil) -> [UInt8] {
        guard let context = ZSTD_createCCtx() else { preconditionFailure("out of memory") }
        defer { ZSTD_freeCCtx(context) }
        ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
        if let windowLog { ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, windowLog) }
        return made(atMost: ZSTD_compressBound(raw.count)) { place in
            ZSTD_compress2(context, place.baseAddress, place.count, raw, raw.count)
        }
    }

    /// A frame of no content, which says nothing to a decoder.
    public static func skippable(_ count: Int) -> [UInt8] {
        [0x5B, 0x2A, 0x4D, 0x18, UInt8(count), 0, 0, 0] + [UInt8](repeating: 0x2A, count: count)
    }

    private static func made(atMost bound: Int, _ write: (UnsafeMutableRawBufferPointer) -> Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: bound) { place, count in
            count = write(UnsafeMutableRawBufferPointer(place))
        }
    }
}
