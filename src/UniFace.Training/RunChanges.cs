using System.Text.Json;

namespace UniFace.Training;

/// <summary>What may differ when a run is resumed: what leaves its data and its recipe the same.</summary>
internal static class RunChanges
{
    /// <summary>The changes from a run's options to others, each as "--threads 2 to 4"; empty if there are none.</summary>
    /// <exception cref="UniFaceException">Fewer epochs, or another difference than those that a run may have.</exception>
    public static IReadOnlyList<string> Between(TrainOptions stored, TrainOptions wanted)
    {
        TrainOptions rest = wanted with { Data = stored.Data, Threads = stored.Threads, Epochs = stored.Epochs };
        if (JsonSerializer.Serialize(rest) != JsonSerializer.Serialize(stored))
        {
            throw new UniFaceException(
                "a resumed run may have another number of threads, another path of the same data, and more epochs; anything else is a new run.");
        }

        if (wanted.Epochs < stored.Epochs)
        {
            throw new UniFaceException(
                $"--epochs {wanted.Epochs} is fewer than the {stored.Epochs} that the run was started with; a resumed run can only have more.");
        }

        List<string> changes = [];
        void Add(string name, object before, object after)
        {
            if (!before.Equals(after))
            {
                changes.Add($"{name} {before} to {after}");
            }
        }

        Add("DATA", stored.Data, wanted.Data);
        Add("--threads", stored.Threads, wanted.Threads);
        Add("--epochs", stored.Epochs, wanted.Epochs);
        return changes;
    }
}
