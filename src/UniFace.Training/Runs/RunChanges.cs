using System.Text.Json.Nodes;

namespace UniFace.Training.Runs;

/// <summary>The options that may change when a run is resumed: those that keep its data and recipe.</summary>
internal static class RunChanges
{
    /// <summary>The changes, each as "threads 2 to 4"; empty if there are none.</summary>
    /// <exception cref="UniFaceException">Fewer epochs, or a change that is not allowed.</exception>
    public static IReadOnlyList<string> Between(TrainOptions stored, TrainOptions wanted)
    {
        foreach ((string property, string before, string after) in Refused(stored, wanted).Take(1))
        {
            throw new UniFaceException(
                "a resumed run may have another number of threads, another path to the same data, another number of checkpoints to keep, and more " +
                $"epochs; anything else is a new run. {property} was {before} and is {after}.");
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

    /// <summary>
    /// The properties that differ and must not, with their values before and after as JSON. Those of <see cref="FineTuneOptions"/> count one by one.
    /// </summary>
    public static IEnumerable<(string Property, string Before, string After)> Refused(TrainOptions stored, TrainOptions wanted)
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
        return Compare(Json(stored), Json(unchanged));

        static JsonObject Json(TrainOptions options) => JsonSerializer.SerializeToNode(options)!.AsObject();
    }

    private static IEnumerable<(string Property, string Before, string After)> Compare(JsonObject stored, JsonObject wanted)
    {
        foreach (string property in stored.Select(pair => pair.Key).Union(wanted.Select(pair => pair.Key)))
        {
            JsonNode? before = stored[property], after = wanted[property];
            if (property == nameof(TrainOptions.FineTune) && before is JsonObject started && after is JsonObject starts)
            {
                foreach ((string, string, string) difference in Compare(started, starts))
                {
                    yield return difference;
                }
            }
            else if (!JsonNode.DeepEquals(before, after))
            {
                yield return (property, before?.ToJsonString() ?? "none", after?.ToJsonString() ?? "none");
            }
        }
    }
}
