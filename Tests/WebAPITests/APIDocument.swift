import Foundation
import Testing

@testable import WebAPI

/// What `openapi.json` says, read as a client reads it. `{store}` in its examples stands for the digits of
/// the store's id.
struct APIDocument {
    typealias Object = [String: Any]

    struct Operation {
        let path: String
        let method: String
        let content: Object
    }

    let root: Object

    init(_ bytes: some Sequence<UInt8>) throws {
        guard let root = try JSONSerialization.jsonObject(with: Data(bytes)) as? Object else { throw NotAnObject() }
        self.root = root
    }

    struct NotAnObject: Error {}

    static func shipped() throws -> APIDocument { try APIDocument(PackageResources.openapi_json) }

    var operations: [Operation] {
        object(root["paths"]).sorted { $0.key < $1.key }.flatMap { path, methods in
            object(methods).sorted { $0.key < $1.key }.map { method, content in
                Operation(path: path, method: method.uppercased(), content: object(content))
            }
        }
    }

    /// All references, as they are written.
    var references: [String] { Self.references(in: root) }

    private static func references(in value: Any) -> [String] {
        if let list = value as? [Any] { return list.flatMap(references) }
        guard let object = value as? Object else { return [] }
        return object.values.flatMap(references) + [object["$ref"] as? String].compactMap(\.self)
    }

    /// What a reference into this document names.
    func resolve(_ reference: String) -> Any? {
        reference.split(separator: "/").dropFirst().reduce(root as Any?) { ($0 as? Object)?[String($1)] }
    }

    /// An object, behind its reference where it is one; empty for anything else.
    func object(_ value: Any?) -> Object {
        let object = value as? Object ?? [:]
        return (object["$ref"] as? String).map { resolve($0) as? Object ?? [:] } ?? object
    }

    /// The examples of all operations, by their names.
    var examples: [APIExample] { operations.flatMap(examples) }

    private func examples(of operation: Operation) -> [APIExample] {
        var found: [String: APIExample] = [:]
        func add(to name: String, _ change: (inout APIExample) -> Void) {
            change(&found[name, default: APIExample(operation, name)])
        }
        for parameter in operation.content["parameters"] as? [Any] ?? [] {
            let parameter = object(parameter)
            for (name, value) in values(of: parameter) {
                add(to: name) { $0.set(parameter["name"], in: parameter["in"], to: value.map { "\($0)" }) }
            }
        }
        let bodies = object(object(operation.content["requestBody"])["content"])
        for (type, media) in bodies {
            for (name, value) in values(of: object(media)) {
                add(to: name) { $0.bodies.append((type, APIExample.text(value, type))) }
            }
        }
        for (status, response) in object(operation.content["responses"]) {
            for (type, media) in object(object(response)["content"]) {
                for (name, value) in values(of: object(media)) {
                    add(to: name) {
                        $0.answers.append((Int(status) ?? 0, type, value.map { APIExample.text($0, type) }))
                    }
                }
            }
        }
        return found.values.sorted { $0.name < $1.name }
    }

    /// The value of each example; `nil` where it has none, as one that is not text.
    private func values(of parent: Object) -> [String: Any?] {
        object(parent["examples"]).mapValues { object($0)["value"] }
    }
}

/// One request and what the document says comes back.
struct APIExample: Sendable, CustomTestStringConvertible {
    let method: String
    let path: String
    let name: String
    private(set) var query: [String] = []
    private(set) var fields: [(name: String, value: String)] = []
    var bodies: [(type: String, text: String)] = []
    var answers: [(status: Int, type: String, text: String?)] = []

    var testDescription: String { "\(method) \(path): \(name)" }

    init(_ operation: APIDocument.Operation, _ name: String) {
        (method, path) = (operation.method, operation.path)
        self.name = name
    }

    mutating func set(_ name: Any?, in place: Any?, to value: String?) {
        guard let name = name as? String, let value else { return }
        if place as? String == "header" { fields.append((name, value)) } else { query.append("\(name)=\(value)") }
    }

    func request(store: String) -> TestRequest {
        let target = path + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
        let type = bodies.first.map { [("content-type", $0.type)] } ?? []
        func filled(_ text: String) -> String { text.replacingOccurrences(of: "{store}", with: store) }
        return TestRequest(
            method, filled(target), type + fields.map { ($0.name, filled($0.value)) },
            body: bodies.first.map { filled($0.text) })
    }

    /// A body as it is sent: JSON in its one shortest form with ordered keys, anything else as it is.
    static func text(_ value: Any?, _ type: String) -> String {
        guard type.hasSuffix("json"), type != MediaType.ndjson else { return value as? String ?? "" }
        let options: JSONSerialization.WritingOptions = [.fragmentsAllowed, .sortedKeys, .withoutEscapingSlashes]
        guard let value, let data = try? JSONSerialization.data(withJSONObject: value, options: options) else {
            return "no JSON"
        }
        return String(decoding: data, as: UTF8.self)
    }
}
