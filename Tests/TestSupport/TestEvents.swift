import LogEngine
import SegmentFormat

// Events that a test can tell apart: each has a number of its own.

/// One event; its line is `{"timestamp":…,"n":…}`.
public struct TestEvent: Sendable, CustomStringConvertible {
    public let bucket: Bucket
    public let line: String
    /// What tells the line from others: see `ReadEvent.line`.
    public let brief: String

    /// An event whose line is made longer by `padding` bytes and a few.
    public init(_ number: Int, bucket: Bucket, padding: Int = 0) {
        self.init(number, bucket: bucket, pad: String(repeating: "x", count: padding))
    }

    /// An event whose line holds `pad` too, which needs no escape.
    public init(_ number: Int, bucket: Bucket, pad: String) {
        let pad = pad.isEmpty ? "" : #","pad":"\#(pad)""#
        self.bucket = bucket
        line = #"{"timestamp":\#(bucket.milliseconds),"n":\#(number)\#(pad)}"#
        var text = line
        brief = text.withUTF8 { ReadEvent.brief(UnsafeRawBufferPointer($0)) }
    }

    public var description: String { brief }
}

extension Bucket {
    /// The `index`th bucket of 10 minutes of the tests' day.
    public static func ofTest(_ index: Int) -> Bucket {
        Bucket(milliseconds: UInt64(1_794_960_000_000 + index * Int(Resolution.tenMinutes.milliseconds)))
    }
}

/// A batch as a client has it: it can be sent again.
public struct TestBatch: Sendable, CustomStringConvertible {
    /// Of its first event; no two batches of a test share a number.
    public let number: Int
    public let events: [TestEvent]
    public let delivery: Delivery?

    public init(_ number: Int, _ events: [TestEvent], delivery: Delivery? = nil) {
        self.number = number
        self.events = events
        self.delivery = delivery
    }

    /// One event for each of the bucket indexes, numbered from `number` on. With a key, the batch is
    /// recognised when it is sent again.
    public init(_ number: Int, buckets: [Int], padding: Int = 0, key: Int? = nil) {
        let events = buckets.enumerated().map {
            TestEvent(number + $0.offset, bucket: .ofTest($0.element), padding: padding)
        }
        self.init(number, events, delivery: key.map { Self.delivery(key: $0, events) })
    }

    public static func delivery(key: Int, _ events: [TestEvent]) -> Delivery {
        let hash = RunningHash()
        for event in events { hash.update(Array(event.line.utf8)) }
        return .key(Hash128(low: UInt64(key), high: 0x6B65_79), fingerprint: hash.wide)
    }

    /// A fresh copy for the engine, which takes over what it is given.
    public var lines: LineBatch {
        let batch = LineBatch()
        for event in events {
            var line = event.line
            line.withUTF8 { batch.append(UnsafeRawBufferPointer($0), bucket: event.bucket) }
        }
        return batch
    }

    public var description: String {
        "batch \(number) (\(events.count) events\(delivery == nil ? "" : ", recognisable"))"
    }
}

/// An event as a scan gave it.
public struct ReadEvent: Hashable, Sendable, CustomStringConvertible {
    public let sequence: Sequence
    /// The line; of a long one its beginning, length and hash, which are cheaper to compare.
    public let line: String

    public init(sequence: Sequence, line: UnsafeRawBufferPointer) {
        self.init(sequence: sequence, brief: Self.brief(line))
    }

    init(sequence: Sequence, brief: String) {
        self.sequence = sequence
        line = brief
    }

    static func brief(_ line: UnsafeRawBufferPointer) -> String {
        guard line.count > 120 else { return String(decoding: line, as: UTF8.self) }
        let start = String(decoding: UnsafeRawBufferPointer(rebasing: line[..<60]), as: UTF8.self)
        return "\(start)… (\(line.count) bytes, XXH3 \(String(xxh3(line), radix: 16)))"
    }

    public var description: String { "#\(sequence.value) \(line)" }
}
