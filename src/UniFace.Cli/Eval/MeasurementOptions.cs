namespace UniFace.Cli.Eval;

/// <summary>How a model is measured, as options that commands share.</summary>
/// <param name="replicates">Default of --bootstrap.</param>
/// <param name="pairs">Default of --max-pairs.</param>
/// <param name="fewestPairs">Lower limit of --max-pairs.</param>
internal sealed class MeasurementOptions(int replicates, int pairs, int fewestPairs)
{
    private readonly CliOption<int> bootstrap = new("--bootstrap", "Bootstrap replicates of the intervals.") { Default = replicates, Range = (10, 1_000_000) };

    private readonly CliOption<int> maxPairs = new("--max-pairs", "Labelled people: largest number of non-mated pairs to score; more are sampled evenly.")
    {
        Default = pairs,
        Range = (fewestPairs, 500_000_000),
    };

    private readonly CliOption<long> seed = new("--seed", "Seed of the intervals and of every sample.") { Default = 1 };

    private readonly CliOption<bool> allowOverlap = CommonOptions.AllowOverlap();

    /// <summary>--bootstrap, --max-pairs, --seed and --allow-overlap.</summary>
    public IEnumerable<Symbol> All => [bootstrap, maxPairs, seed, allowOverlap];

    /// <summary>How confidence intervals are computed.</summary>
    public BootstrapOptions Bootstrap(ParseResult parsed) => new() { Replicates = parsed.GetValue(bootstrap), Seed = parsed.GetValue(seed) };

    /// <summary>Measures a model, with progress on standard error.</summary>
    public T Measure<T>(ParseResult parsed, EvaluatedModel model, int batchSize, Func<ModelEvaluation, T> measure, CancellationToken stop)
    {
        using ActivityMeter progress = new();
        OverlapGate gate = new()
        {
            Model = model.Path,
            Trained = model.Trained,
            TrainedHash = model.TrainedHash,
            Allowed = parsed.GetValue(allowOverlap),
            Hint = CommonOptions.OverlapHint,
            Warning = Output.Warn,
            Progress = progress.Add,
            Cancellation = stop,
        };
        ValidationOptions options = new()
        {
            Bootstrap = Bootstrap(parsed),
            Pairs = new PairOptions { MaxDifferentPairs = parsed.GetValue(maxPairs), Seed = parsed.GetValue(seed) },
            BatchSize = batchSize,
        };
        return measure(new ModelEvaluation(model, gate, options, stop));
    }
}
