import Glibc
import NIOSSL

/// A file of certificates or a key, read whole.
public struct PEMFile {
    /// Far above any chain or list of authorities.
    private static let largest = 1 << 20

    private let path: String
    private let bytes: [UInt8]
    private let owner: uid_t
    private let mode: mode_t

    public init(_ path: String) throws(TLSFault) {
        // Not to hang where the path is a pipe.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .unreadable(path, Self.reason()) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .unreadable(path, Self.reason()) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .unreadable(path, "this is no file") }
        guard status.st_size <= Self.largest else {
            throw .unusable(path, "a file of certificates has at most \(Self.largest) bytes")
        }
        self.path = path
        (owner, mode) = (status.st_uid, status.st_mode & 0o777)
        bytes = try Self.read(descriptor, Int(status.st_size), path)
    }

    private static func read(_ descriptor: Int32, _ count: Int, _ path: String) throws(TLSFault) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var length = 0
        while length < count {
            let more = bytes.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress.map { $0 + length }, count - length)
            }
            guard more >= 0 else { throw .unreadable(path, reason()) }
            if more == 0 { break }
            length += more
        }
        return Array(bytes[..<length])
    }

    private static func reason() -> String { String(cString: strerror(errno)).lowercased() }

    /// At least one.
    public func certificates() throws(TLSFault) -> [NIOSSLCertificate] {
        do {
            let certificates = try NIOSSLCertificate.fromPEMBytes(bytes)
            if !certificates.isEmpty { return certificates }
        } catch {
            // Told below, as NIOSSL does not say what is wrong.
        }
        throw .unusable(path, "there is no certificate in PEM in it that can be read")
    }

    public func privateKey() throws(TLSFault) -> NIOSSLPrivateKey {
        do {
            return try NIOSSLPrivateKey(bytes: bytes, format: .pem)
        } catch {
            throw .unusable(path, "there is no private key in PEM in it, or it is encrypted")
        }
    }

    /// A key is for its owner alone. As with PostgreSQL, one that is root's may be read by its group, which is how
    /// systemd and Debian's ssl-cert hand keys to a service.
    func checkIsSecret(from user: uid_t = geteuid()) throws(TLSFault) {
        guard Self.isOpen(mode, owner: owner, user: user) else { return }
        let octal = String(mode, radix: 8)
        throw .unusable(path, "others may use this key (mode 0\(octal)): chmod 600 it")
    }

    static func isOpen(_ mode: mode_t, owner: uid_t, user: uid_t) -> Bool {
        let allowed: mode_t = owner == 0 && user != 0 ? 0o740 : 0o700
        return mode & 0o777 & ~allowed != 0
    }
}

/// By which a file that was changed or put in place of another is told, without reading it.
struct FileStamp: Equatable {
    private let device: dev_t
    private let inode: ino_t
    private let size: off_t
    private let seconds: Int
    private let nanoseconds: Int

    /// `nil` for what is not there.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        (device, inode, size) = (status.st_dev, status.st_ino, status.st_size)
        (seconds, nanoseconds) = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
    }
}
