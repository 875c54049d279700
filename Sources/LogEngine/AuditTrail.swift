import SegmentFormat

/// Appends records to the stream `audit` of a data directory, whose lock the caller's own stream guards.
struct AuditTrail {
    let directory: String
    let environment: Environment

    static func options(_ stream: StreamName = .audit) -> LogOptions {
        var options = LogOptions()
        options.stream = stream
        // A record has to find room on a full disk.
        options.reserveBytes = 0
        return options
    }

    /// Durable when it returns. `line` is one JSON object, without its LF; `time` its time.
    func append(_ line: String, time: UInt64) throws(StoreError) {
        let log = try EventLog.open(directory, options: Self.options(), environment: environment)
        let batch = LineBatch(capacity: line.utf8.count + 1)
        var line = line
        line.withUTF8 { batch.append(UnsafeRawBufferPointer($0), bucket: log.resolution.bucket(of: time)) }
        let appended = wait { log.append(batch, delivery: nil, completion: $0) }
        let closed = Result { () throws(StoreError) in try log.closeAndWait() }
        _ = try appended.get()
        try closed.get()
    }

    private func wait(_ start: (@escaping AppendCompletion) -> Void) -> Result<AppendOutcome, StoreError> {
        let answer = Answer<Result<AppendOutcome, StoreError>>()
        start { answer.give($0) }
        return answer.wait()
    }
}
