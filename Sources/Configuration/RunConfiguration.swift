/// Everything that decides a run's result, with defaults for all but the two paths.
///
/// The keys of the YAML file are those of the README. Paths stay as written: relative ones count from the
/// current folder of the process.
public struct RunConfiguration: Sendable, Equatable {
  /// All random numbers of the run follow from it.
  public var seed: UInt64 = 1
  public var model: Model
  public var adapter = Adapter()
  public var data: Data
  public var clients = Clients()
  public var training = Training()
  public var method = Method()
  public var evaluate = Evaluate()
  public var server = Server()
  public var checkpoint = Checkpoint()

  /// The defaults over a model's and a data set's folder. Values set later are not checked; `load` checks.
  public init(modelPath: String, dataPath: String) {
    model = Model(path: modelPath)
    data = Data(path: dataPath)
  }
}

extension RunConfiguration {
  /// The base model.
  public struct Model: Sendable, Equatable {
    /// A checkpoint folder: config.json, model.safetensors or its shards with their index.
    public var path: String
    public var task = Task.classification
    public var precision = Precision.f32

    public init(path: String) { self.path = path }
  }

  /// What the model is trained for.
  public enum Task: String, Sendable, CaseIterable {
    /// A label for every row.
    case classification
    /// An answer to every prompt.
    case generation
  }

  /// The precision of products with the frozen weights.
  public enum Precision: String, Sendable, CaseIterable {
    case f32
    /// Both operands are rounded to bfloat16, sums are Float32's.
    case bf16
  }

  /// The low-rank adapter that the clients train.
  public struct Adapter: Sendable, Equatable {
    /// The adapter's rank r: rows of A, columns of B.
    public var rank = AdapterRanks.same(8)
    /// α of the scaling α / r.
    public var alpha = 16.0
    /// Names of the adapted linear layers within a block.
    public var targets = ["query", "value"]
    /// Probability that an input of A is dropped while training.
    public var dropout = 0.0
    public var head = Head.shared
    /// Scale by α / √r in place of α / r.
    public var rslora = false

    public init() {}
  }

  /// What becomes of the classifier on top of the model.
  public enum Head: String, Sendable, CaseIterable {
    /// Trained, sent and averaged.
    case shared
    /// Kept at its start.
    case frozen
    /// Trained by each client for itself.
    case local
  }

  /// The data set and its division over the clients.
  public struct Data: Sendable, Equatable {
    /// A folder of prepared data.
    public var path: String
    /// Tokens that a row is cut to.
    public var maximumLength = 128
    /// Share of each client's rows that it does not train on, for the personalised evaluation.
    public var heldOut = 0.1
    public var partition = Partition.iid

    public init(path: String) { self.path = path }
  }

  /// How rows are divided over clients.
  public indirect enum Partition: Sendable, Equatable {
    /// Shuffled and cut into equal parts.
    case iid
    /// Shares of each label drawn from a symmetric Dirichlet distribution; a small alpha is uneven.
    case dirichlet(alpha: Double)
    /// Sorted by label and dealt out in this many shards a client.
    case byLabel(shards: Int)
    /// By a column of the data; where several clients share one of its values, `within` divides its rows.
    case natural(within: Partition)
  }

  /// The federation.
  public struct Clients: Sendable, Equatable {
    public var count = 8
    /// Share of the clients that take part in a round, in (0, 1].
    public var participation = 1.0
    public var weighting = Weighting.examples
    public var placement = Placement.block

    public init() {}
  }

  /// The clients' weights in an average.
  public enum Weighting: String, Sendable, CaseIterable {
    /// By the number of training rows.
    case examples
    /// The same for all.
    case uniform
  }

  /// Which MPI rank hosts which client.
  public enum Placement: String, Sendable, CaseIterable {
    /// Neighbouring clients on one rank.
    case block
    /// Client by client around the ranks.
    case cyclic
    /// By cost, longest first, so that all ranks have about as much to do.
    case balanced
  }

  /// The rule by which the server combines the clients' factors.
  public struct Method: Sendable, Equatable {
    public var name = Name.florana

    public init() {}

    /// The names of section 4 of the algorithms that this version has.
    public enum Name: String, Sendable, CaseIterable {
      case fedit
      case florana
      case floranaMatrix = "florana-matrix"
      case ffaLoRA = "ffa-lora"
      case roLoRA = "rolora"
      case fedSALoRA = "fedsa-lora"
      case flexLoRA = "flexlora"
      case flora
      case fedExLoRA = "fedex-lora"
      case hetLoRA = "hetlora"
      case loraFAIR = "lora-fair"
      case fedSB = "fed-sb"
      case ideal
    }
  }

  /// What is evaluated, and when.
  public struct Evaluate: Sendable, Equatable {
    /// Rounds from one evaluation to the next.
    public var every = 1
    /// Each client's own model on its own held-out rows.
    public var personalised = true
    /// The ideal update, applied exactly, on the test set.
    public var oracle = false
    /// Rows a forward pass.
    public var batch = 64
    /// Rows of the test set that are evaluated, spread evenly over it; nil: all.
    public var limit: Int?
    /// Tokens after which a generated answer is broken off.
    public var maximumNewTokens = 128

    public init() {}
  }

  /// How the server works.
  public struct Server: Sendable, Equatable {
    public var mode = Mode.root
    public var wire = Wire.f32

    public init() {}

    public enum Mode: String, Sendable, CaseIterable {
      /// Rank 0 gathers, estimates and broadcasts.
      case root
      /// The same layer by layer: one is estimated while the next travels.
      case pipelined
      /// Every rank estimates a share of the layers, and no rank receives everything.
      case sharded
    }

    /// The numbers of updates and of what the server sends, while they travel.
    public enum Wire: String, Sendable, CaseIterable {
      /// As they are computed.
      case f32
      /// Rounded to the range of f32 with 8 significant bits.
      case bf16
      /// Rounded to 11 significant bits; from 65520 on numbers do not fit.
      case f16

      /// Bytes of one number.
      public var byteCount: Int { self == .f32 ? 4 : 2 }
    }
  }

  /// When the state of a run is saved.
  public struct Checkpoint: Sendable, Equatable {
    /// Rounds from one checkpoint to the next; the last round is always saved. 0 saves none.
    public var every = 0

    public init() {}
  }
}
