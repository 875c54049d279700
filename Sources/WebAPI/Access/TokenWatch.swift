import NIOPosix

/// Takes changes of the tokens of a data directory over, within a second. A file that is not one of tokens, or that is
/// gone, changes nothing.
public final class TokenWatch: Sendable {
    private static let interval = Duration.seconds(1)

    private let file: TokenFile
    public let book: TokenBook
    /// Told of what is wrong, once.
    private let say: @Sendable (String) -> Void

    /// - Throws: where the file cannot be read: who starts then would let in whom nobody wants.
    public init(_ file: TokenFile, _ book: TokenBook, say: @escaping @Sendable (String) -> Void) throws {
        self.file = file
        self.book = book
        self.say = say
        book.replaceStored(try file.read())
    }

    /// Looks again and again until it is cancelled.
    public func run() async {
        var said: String?
        while true {
            do { try await Task.sleep(for: Self.interval) } catch { return }
            let trouble = await look()
            if let trouble, trouble != said { say(trouble) }
            said = trouble
        }
    }

    /// What is wrong; `nil` where the tokens of the file are those in force.
    func look() async -> String? {
        do {
            guard let list = try await NIOThreadPool.singleton.runIfActive({ try self.file.read() }) else {
                return book.hasStored ? "\(file.path) is gone; the tokens of before stay in force" : nil
            }
            book.replaceStored(list)
            return nil
        } catch is CancellationError {
            return nil
        } catch {
            return "\(error); the tokens of before stay in force"
        }
    }
}
