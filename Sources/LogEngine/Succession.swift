import SegmentFormat

// Which segments rule where no manifest says so (SPEC V9): from what is there, and what each says that it
// replaces. Pure.
//
// The outputs of a pass name all of its inputs. Inputs are removed only once the outputs are listed, so a pass
// of which every input is there may have been cut off before: the inputs rule. One that was finished has lost
// an input, or an output of it was itself the input of one that was finished.

enum Succession {
    private struct Pass {
        let inputs: Set<SegmentNumber>
        var outputs: [SegmentNumber] = []
    }

    /// Those of `present` that live: each with what it replaces.
    static func living(_ present: [SegmentNumber: [SegmentNumber]]) -> Set<SegmentNumber> {
        var replaced: Set<SegmentNumber> = []
        var living = Set(present.keys)
        for pass in passes(present) {
            let wasReplaced = pass.outputs.contains { replaced.contains($0) }
            let isLate = !pass.inputs.isDisjoint(with: replaced)
            let lacksInput = pass.inputs.contains { present[$0] == nil }
            if wasReplaced || lacksInput && !isLate {
                replaced.formUnion(pass.inputs)
            } else {
                living.subtract(pass.outputs)
            }
        }
        return living.subtracting(replaced)
    }

    /// The newest first: an output has a higher number than every input.
    private static func passes(_ present: [SegmentNumber: [SegmentNumber]]) -> [Pass] {
        var passes: [[SegmentNumber]: Pass] = [:]
        for (segment, inputs) in present where !inputs.isEmpty {
            passes[inputs, default: Pass(inputs: Set(inputs))].outputs.append(segment)
        }
        func newest(_ pass: Pass) -> SegmentNumber { pass.outputs.max() ?? SegmentNumber(0) }
        return passes.values.sorted { newest($0) > newest($1) }
    }
}
