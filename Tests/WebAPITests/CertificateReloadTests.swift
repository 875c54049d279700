import Glibc
import NIOCore
import NIOEmbedded
import NIOPosix
import TestSupport
import Testing

@testable import WebAPI

/// SPEC L3.
@Suite("certificates that change")
struct CertificateReloadTests {
    /// Loads what `authority` has issued, and tells what it says from then on.
    private func withCertificates(
        _ body: (TestAuthority, String, ServerCertificates, Notes) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory()
        let authority = try TestAuthority()
        try authority.issue("server").write(to: directory.path)
        let notes = Notes()
        let certificates = try ServerCertificates(.test(in: directory.path), note: { notes.take($0) })
        try await body(authority, directory.path, certificates, notes)
    }

    @Test("new files serve new connections; what is in flight on old ones goes on")
    func goodPair() async throws {
        try await SecureServer.run { secure in
            let target = "/wsapi/interaction_data"
            let text = try await secure.client().ask(TestRequest("GET", "\(target)/stream")) { changes in
                _ = try await changes.next()
                let successor = try TestAuthority("successor")
                try successor.issue("server").write(to: secure.directory)
                try await secure.server.reloadCertificates()
                await #expect(throws: (any Error).self) { try await secure.client() }
                let client = try await SecureClient(secure.server.port, trusting: successor)
                #expect(try await client.ask(.events(#"{"timestamp":1361407200000}"#)).status == 201)
                guard case .body(let change) = try await changes.next() else { throw ConnectionEnded() }
                return String(buffer: change)
            }
            #expect(text.contains(#""seq":1"#))
            // The server may have looked at the files by itself before.
            #expect(!secure.notes.all.isEmpty)
            #expect(secure.notes.all.allSatisfy { $0.contains("server.pem, valid until 2") })
        }
    }

    @Test("a broken pair leaves the old one serving and says which file is at fault")
    func brokenPairs() async throws {
        try await SecureServer.run { secure in
            let (path, other) = (secure.directory, try secure.authority.issue("other"))
            let good = try secure.authority.issue("server")
            let faults: [(certificate: String, key: String, note: String)] = [
                (other.certificate, good.key, "server.key: this key does not belong to the certificate in"),
                ("nothing", good.key, "server.pem: there is no certificate in PEM in it"),
                (good.certificate, "nothing", "server.key: there is no private key in PEM in it, or it is encrypted"),
                (good.certificate, String(repeating: "x", count: 1 << 21), "server.key: a file of certificates has at"),
            ]
            for fault in faults {
                try WholeFile.write(Array(fault.certificate.utf8), to: "\(path)/server.pem")
                try WholeFile.write(Array(fault.key.utf8), to: "\(path)/server.key")
                try await secure.server.reloadCertificates()
                let note = try #require(secure.notes.all.last)
                #expect(note.hasPrefix("certificates not loaded again, the old ones stay: \(path)/"), "\(note)")
                #expect(note.contains(fault.note), "\(note)")
                #expect(try await secure.client().get("/wsapi/ping").text == "pong")
            }
            try good.write(to: path)
            unlink("\(path)/server.pem")
            try await secure.server.reloadCertificates()
            #expect(
                secure.notes.all.last?.hasSuffix("cannot read \(path)/server.pem: no such file or directory") == true)
            #expect(try await secure.client().get("/wsapi/ping").text == "pong")
        }
    }

    @Test("a look loads what has changed, once, and nothing else")
    func look() async throws {
        try await withCertificates { authority, directory, certificates, notes in
            let first = certificates.context
            certificates.look()
            #expect(certificates.context === first && notes.all.isEmpty)
            try authority.issue("server").write(to: directory)
            certificates.look()
            let second = certificates.context
            #expect(second !== first && notes.all.count == 1)
            unlink("\(directory)/server.key")
            certificates.look()
            certificates.look()
            #expect(certificates.context === second && notes.all.count == 2)
        }
    }

    @Test("a file put in place of another is a change, also where size and time are the same")
    func replaced() async throws {
        try await withCertificates { _, directory, certificates, notes in
            let bytes = try #require(WholeFile.read("\(directory)/server.pem"))
            try WholeFile.write(bytes, to: "\(directory)/new.pem")
            var times = [timespec(), timespec()]
            utimensat(AT_FDCWD, "\(directory)/new.pem", &times, 0)
            utimensat(AT_FDCWD, "\(directory)/server.pem", &times, 0)
            certificates.look()
            let count = notes.all.count
            rename("\(directory)/new.pem", "\(directory)/server.pem")
            certificates.look()
            #expect(notes.all.count == count + 1)
        }
    }

    @Test("the files are looked at again and again")
    func watch() async throws {
        try await withCertificates { authority, directory, certificates, notes in
            let loop = NIOAsyncTestingEventLoop()
            let watch = CertificateWatch(certificates, on: loop, pool: .singleton)
            for count in 1...3 {
                try authority.issue("server").write(to: directory)
                await loop.advanceTime(by: CertificateWatch.interval)
                #expect(await notes.next()?.hasPrefix("certificates loaded again: ") == true)
                #expect(notes.all.count == count)
                await loop.run()
            }
            watch.end()
            await loop.shutdownGracefully()
        }
    }

    @Test("what has expired or is not valid yet is loaded, and told")
    func validity() throws {
        let directory = try TemporaryDirectory()
        let authority = try TestAuthority()
        for (hours, words) in [(-2.0...(-1.0), "has expired at"), (1.0...2.0, "is not valid before")] {
            try authority.issue("server", hours: hours).write(to: directory.path)
            let notes = Notes()
            _ = try ServerCertificates(.test(in: directory.path), note: { notes.take($0) })
            #expect(notes.all.count == 1 && notes.all[0].contains("/server.pem: a certificate in it \(words) 2"))
        }
    }

    @Test("a key that others may use is refused, whatever is in it")
    func openKey() throws {
        let directory = try TemporaryDirectory()
        try TestAuthority().issue("server").write(to: directory.path)
        chmod("\(directory.path)/server.key", 0o604)
        #expect(
            throws: TLSFault.unusable(
                "\(directory.path)/server.key", "others may use this key (mode 0604): chmod 600 it")
        ) {
            try ServerCertificates(.test(in: directory.path), note: { _ in })
        }
    }

    @Test(
        "a key is its owner's alone, or root's and for its group to read",
        arguments: [
            (0o600, 7, 7, false), (0o400, 7, 7, false), (0o640, 7, 7, true), (0o604, 7, 7, true), (0o620, 7, 7, true),
            (0o440, 0, 7, false), (0o640, 0, 7, false), (0o660, 0, 7, true), (0o644, 0, 7, true), (0o640, 0, 0, true),
        ] as [(mode_t, uid_t, uid_t, Bool)])
    func keyModes(mode: mode_t, owner: uid_t, user: uid_t, isOpen: Bool) {
        #expect(PEMFile.isOpen(mode, owner: owner, user: user) == isOpen)
    }
}
