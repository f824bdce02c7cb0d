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
internal sealed record DemoSummary(
    long Seed,
    bool Quick,
    int TrainPeople,
    int TrainImages,
    int UnseenPeople,
    int CalibrationPeople,
    string Loss,
    string Backbone,
    int Epochs,
    long Steps,
    double ImagesPerSecond,
    DemoVerification Before, // With the initial weights, on the unseen people.
    DemoVerification After, // With the exported package, on the unseen people.
    double FalseMatchRate, // Of the threshold.
    double Threshold, // A cosine, from the package's calibration.json.
    double Parity, // The smallest cosine between an exported embedding and the trained one.
    DemoProbe Known,
    DemoProbe Unknown,
    DemoIdentification Gallery,
    string ContractId,
    IReadOnlyDictionary<string, double> StepSeconds,
    IReadOnlyDictionary<string, string> Files)
{
    /// <summary>Always true: the numbers describe drawn faces and say nothing about real ones.</summary>
    public bool Synthetic { get; } = true;

    public bool Identified => Known.Right;

    public bool Rejected => Unknown.Right;

    public double Seconds { get; init; }
}
