namespace UniFace.Clustering;

/// <summary>Precision, recall and their harmonic mean.</summary>
/// <param name="Precision">Of what was put together, the share that belongs together; low where people were merged.</param>
/// <param name="Recall">Of what belongs together, the share that was put together; low where people were split.</param>
public readonly record struct PrecisionRecall(double Precision, double Recall)
{
    /// <summary>Harmonic mean; 0 where both are 0.</summary>
    public double F => Precision + Recall > 0 ? 2 * Precision * Recall / (Precision + Recall) : 0;
}

/// <summary>How well a grouping fits known people.</summary>
/// <param name="Pairwise">Over pairs of faces; large people count by the square of their size.</param>
/// <param name="BCubed">Over faces (Bagga and Baldwin, 1998); every face counts alike.</param>
/// <param name="People">People known.</param>
/// <param name="Groups">Groups found.</param>
/// <param name="MergedGroups">Groups that hold more than one person.</param>
public sealed record ClusteringScore(PrecisionRecall Pairwise, PrecisionRecall BCubed, int People, int Groups, int MergedGroups)
{
    /// <summary>Scores a grouping.</summary>
    /// <param name="groups">[N], the group of each face.</param>
    /// <param name="people">[N], the person of each face.</param>
    public static ClusteringScore Of(IReadOnlyList<int> groups, IReadOnlyList<int> people)
    {
        ArgumentNullException.ThrowIfNull(groups);
        ArgumentNullException.ThrowIfNull(people);
        if (groups.Count != people.Count || groups.Count == 0)
        {
            throw new ArgumentException($"{groups.Count} groups and {people.Count} people given; expected as many of each, at least one.", nameof(groups));
        }

        Dictionary<int, long> groupSizes = Sizes(groups), personSizes = Sizes(people);
        Dictionary<(int Group, int Person), long> shared = [];
        for (int i = 0; i < groups.Count; i++)
        {
            shared[(groups[i], people[i])] = shared.GetValueOrDefault((groups[i], people[i])) + 1;
        }

        double together = Pairs(shared.Values), grouped = Pairs(groupSizes.Values), belonging = Pairs(personSizes.Values);

        // A face's precision is the share of its group that is its person: summed over the faces that a group and a person share.
        double precision = shared.Sum(s => (double)s.Value * s.Value / groupSizes[s.Key.Group]) / groups.Count;
        double recall = shared.Sum(s => (double)s.Value * s.Value / personSizes[s.Key.Person]) / groups.Count;
        int merged = shared.Keys.GroupBy(k => k.Group).Count(g => g.Count() > 1);
        return new ClusteringScore(
            new PrecisionRecall(grouped > 0 ? together / grouped : 1, belonging > 0 ? together / belonging : 1),
            new PrecisionRecall(precision, recall),
            personSizes.Count,
            groupSizes.Count,
            merged);
    }

    private static Dictionary<int, long> Sizes(IEnumerable<int> labels) => labels.GroupBy(l => l).ToDictionary(g => g.Key, g => g.LongCount());

    private static double Pairs(IEnumerable<long> sizes) => sizes.Sum(n => n * (n - 1) / 2.0);
}
