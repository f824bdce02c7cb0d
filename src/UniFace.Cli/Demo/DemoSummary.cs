namespace UniFace.Cli.Demo;

/// <summary>Verification of people who were not trained on.</summary>
internal sealed record DemoVerification(double? Accuracy, double? AccuracyStd, double Auc, double Eer, double? TarAtFmr);

/// <summary>A probe and its answer.</summary>
/// <param name="Person">The person shown.</param>
/// <param name="Enrolled">Whether that person is enrolled.</param>
/// <param name="Answer">The identified person; null for unknown.</param>
/// <param name="Score">The best score.</param>
/// <param name="Nearest">The person with that score.</param>
internal sealed record DemoProbe(string Person, bool Enrolled, string? Answer, double Score, string Nearest)
{
    public bool Right => Enrolled ? Answer == Person : Answer is null;

    /// <summary>The probe and its answer in words.</summary>
    public string Describe() => (Enrolled, Right) switch
    {
        (true, true) => $"enrolled {Person} recognized (score {Score:F2})",
        (true, false) => $"enrolled {Person} NOT recognized ({(Answer is null ? "answer: unknown" : "taken for " + Answer)}, best score {Score:F2})",
        (false, true) => $"stranger {Person} rejected (best score {Score:F2})",
        (false, false) => $"stranger {Person} NOT rejected: taken for {Answer} (score {Score:F2})",
    };
}

/// <summary>The answers to all probes.</summary>
/// <param name="Mated">Probes of enrolled people.</param>
/// <param name="MatedRight">Of these, identified correctly.</param>
/// <param name="NonMated">Probes of strangers.</param>
/// <param name="NonMatedRight">Of these, rejected.</param>
internal sealed record DemoIdentification(int Mated, int MatedRight, int NonMated, int NonMatedRight);

/// <summary>The JSON of `uniface demo --json` and of demo.json.</summary>
internal sealed record DemoSummary
{
    /// <summary>Always true: the numbers describe drawn faces and say nothing about real ones.</summary>
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

    /// <summary>On the unseen people, with the initial weights.</summary>
    public required DemoVerification Before { get; init; }

    /// <summary>On the unseen people, with the exported package.</summary>
    public required DemoVerification After { get; init; }

    /// <summary>The false match rate of the threshold.</summary>
    public required double FalseMatchRate { get; init; }

    /// <summary>The threshold, a cosine, from the package's calibration.json.</summary>
    public required double Threshold { get; init; }

    /// <summary>The smallest cosine between an exported embedding and the trained one.</summary>
    public required double Parity { get; init; }

    public required DemoProbe Known { get; init; }

    public required DemoProbe Unknown { get; init; }

    public bool Identified => Known.Right;

    public bool Rejected => Unknown.Right;

    public required DemoIdentification Gallery { get; init; }

    public required string ContractId { get; init; }

    public double Seconds { get; init; }

    public required IReadOnlyDictionary<string, double> StepSeconds { get; init; }

    public required IReadOnlyDictionary<string, string> Files { get; init; }
}
