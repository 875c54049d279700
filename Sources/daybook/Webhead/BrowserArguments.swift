import ArgumentParser
import Interactions
import WebAPI

/// How browsers are served.
struct BrowserArguments: ParsableArguments {
    @Option(
        name: .customLong("origin"),
        help: ArgumentHelp(
            "Pages that may post beside those of the webhead's own origin, as https://login.example.org; may be given "
                + "several times.", valueName: "url"))
    var origins: [String] = []

    @Flag(help: "Browsers come over TLS that ends before this process: cookies are for it alone.")
    var secure = false

    @Option(help: "What becomes of fields that nobody knows.")
    var unknownFields = UnknownFields.pass

    @Option(
        help: ArgumentHelp(
            "Keep this share of the sessions, from 0 to 1; of those the sample_rate is multiplied with it.",
            valueName: "share"), transform: BrowserArguments.sample)
    var sampleRate = SessionSample.all

    @Option(
        help: ArgumentHelp("Tell browsers to send of this share of their sessions.", valueName: "share"),
        transform: BrowserArguments.share)
    var browserSampleRate = 1.0

    @Option(
        name: .customLong("browser-sample-rate-of"),
        help: ArgumentHelp(
            "The same for one browser, as Chrome=0.1; may be given several times.", valueName: "name=share"),
        transform: BrowserArguments.named)
    var browserSampleRates: [NamedShare] = []

    struct NamedShare {
        let name: String
        let share: Double
    }

    @Option(
        help: ArgumentHelp(
            "By what a person says not to be measured: some of gpc, dnt, cookie with commas between, or none (default: "
                + "all).", valueName: "signals"), transform: BrowserArguments.signals)
    var optOut: Set<OptOutSignal>?

    @Option(
        help: ArgumentHelp("The longest body, from 64KiB.", valueName: "size"))
    var bodyBytes = ByteSize(64 << 10)

    func validate() throws {
        if bodyBytes.bytes > 1 << 20 { throw ValidationError("--body-bytes is at most 1MiB.") }
    }

    var options: WebheadOptions {
        var options = WebheadOptions()
        options.bodyBytes = bodyBytes.bytes
        options.unknownFields = unknownFields
        options.sample = sampleRate
        options.browserSampleRate = browserSampleRate
        for its in browserSampleRates { options.browserSampleRates[its.name] = its.share }
        options.origins = Set(origins)
        options.isSecure = secure
        options.optOut = optOut ?? options.optOut
        return options
    }

    private struct Fault: Error, CustomStringConvertible {
        let description: String
    }

    private static func share(_ text: String) throws -> Double {
        guard let share = Double(text), (0...1).contains(share) else {
            throw Fault(description: "a share is a number from 0 to 1")
        }
        return share
    }

    private static func sample(_ text: String) throws -> SessionSample {
        guard let sample = SessionSample(rate: try share(text)) else {
            throw Fault(description: "a share is a number from 0 to 1")
        }
        return sample
    }

    private static func signals(_ text: String) throws -> Set<OptOutSignal> {
        if text == "none" { return [] }
        return Set(
            try text.split(separator: ",", omittingEmptySubsequences: false).map { name in
                guard let signal = OptOutSignal(rawValue: String(name)) else {
                    throw Fault(description: "signals are some of gpc, dnt, cookie with commas between, or none")
                }
                return signal
            })
    }

    private static func named(_ text: String) throws -> NamedShare {
        guard let equals = text.lastIndex(of: "="), equals > text.startIndex else {
            throw Fault(description: "a browser's share is written as Chrome=0.1")
        }
        return NamedShare(name: String(text[..<equals]), share: try share(String(text[text.index(after: equals)...])))
    }
}

extension UnknownFields: ExpressibleByArgument {}
