namespace UniFace.Cli.Demo;

/// <summary>How well people were told apart that were never trained on.</summary>
internal sealed record DemoVerification(double? Accuracy, double? AccuracyStd, double Auc, double Eer, double? TarAtFmr);

/// <summary>A question to the gallery and its answer.</summary>
/// <param name="Person">Who was shown.</param>
/// <param name="Enrolled">Whether that person is in the gallery.</param>
/// <param name="Answer">Who it was taken for, or null for unknown.</param>
/// <param name="Score">The best score.</param>
/// <param name="Nearest">Whose it was.</param>
internal sealed record DemoProbe(string Person, bool Enrolled, string? Answer, double Score, string Nearest)
{
    /// <summary>True where the answer is right.</summary>
    public bool Right => Enrolled ? Answer == Person : Answer is null;
}

/// <summary>What the whole gallery experiment found.</summary>
/// <param name="Mated">Pictures of enrolled people asked.</param>
/// <param name="MatedRight">Of these, recognised as who they are.</param>
/// <param name="NonMated">Pictures of strangers asked.</param>
/// <param name="NonMatedRight">Of these, rejected.</param>
internal sealed record DemoIdentification(int Mated, int MatedRight, int NonMated, int NonMatedRight);

/// <summary>What `uniface demo --json` prints and demo.json holds.</summary>
internal sealed record DemoSummary
{
    /// <summary>Always true: the faces are drawn, the numbers say nothing about real faces.</summary>
    public bool Synthetic { get; init; } = true;

    public required long Seed { get; init; }

    public required bool Quick { get; init; }

    public required int TrainPeople { get; init; }

    public required int TrainImages { get; init; }

    public required int UnseenPeople { get; init; }

    public required int CalibrationPeople { get; init; }

    public required string Loss { get; init; }

    public required string Backbone { get; init; }

    public required int Epochs { get; init; }

    public required long Steps { get; init; }

    public required double ImagesPerSecond { get; init; }

    /// <summary>On the unseen people, with the weights that training started from.</summary>
    public required DemoVerification Before { get; init; }

    /// <summary>On the unseen people, with the exported package.</summary>
    public required DemoVerification After { get; init; }

    /// <summary>The false match rate that the threshold was calibrated for.</summary>
    public required double FalseMatchRate { get; init; }

    /// <summary>The threshold, a cosine, from the package's calibration.json.</summary>
    public required double Threshold { get; init; }

    /// <summary>Smallest cosine of an exported embedding with the trained one.</summary>
    public required double Parity { get; init; }

    public required DemoProbe Known { get; init; }

    public required DemoProbe Unknown { get; init; }

    /// <summary>True where the known face was recognised.</summary>
    public bool Identified => Known.Right;

    /// <summary>True where the unknown face was rejected.</summary>
    public bool Rejected => Unknown.Right;

    public required DemoIdentification Gallery { get; init; }

    public required string ContractId { get; init; }

    /// <summary>Whole time.</summary>
    public double Seconds { get; init; }

    /// <summary>Seconds of each step.</summary>
    public required IReadOnlyDictionary<string, double> StepSeconds { get; init; }

    /// <summary>What was written.</summary>
    public required IReadOnlyDictionary<string, string> Files { get; init; }
}
