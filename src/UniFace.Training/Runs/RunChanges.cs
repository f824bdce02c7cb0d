namespace UniFace.Training.Runs;

/// <summary>The options that may change when a run is resumed: those that keep its data and recipe.</summary>
internal static class RunChanges
{
    /// <summary>The changes, each as "threads 2 to 4"; empty if there are none.</summary>
    /// <exception cref="UniFaceException">Fewer epochs, or a change that is not allowed.</exception>
    public static IReadOnlyList<string> Between(TrainOptions stored, TrainOptions wanted)
    {
        bool sameSets = wanted.DataSets.Select(set => set.Weight).SequenceEqual(stored.DataSets.Select(set => set.Weight));
        TrainOptions unchanged = wanted with
        {
            Data = stored.Data,
            MoreData = sameSets ? stored.MoreData : wanted.MoreData,
            Threads = stored.Threads,
            Epochs = stored.Epochs,
            Keep = stored.Keep,
        };
        if (JsonSerializer.Serialize(unchanged) != JsonSerializer.Serialize(stored))
        {
            throw new UniFaceException(
                "a resumed run may have another number of threads, another path to the same data, another number of checkpoints to keep, and more " +
                "epochs; anything else is a new run.");
        }

        if (wanted.Epochs < stored.Epochs)
        {
            throw new UniFaceException(
                $"{wanted.Epochs} epochs are fewer than the {stored.Epochs} that the run was started with; a resumed run can only have more.");
        }

        (string Name, object Before, object After)[] options =
        [
            ("data", Paths(stored), Paths(wanted)),
            ("threads", stored.Threads, wanted.Threads),
            ("epochs", stored.Epochs, wanted.Epochs),
            ("keep", stored.Keep, wanted.Keep),
        ];
        return [.. options.Where(option => !option.Before.Equals(option.After)).Select(option => $"{option.Name} {option.Before} to {option.After}")];

        static string Paths(TrainOptions options) => string.Join(" + ", options.DataSets.Select(set => set.Path));
    }
}
