namespace UniFace.Clustering;

/// <summary>Precision, recall and their harmonic mean.</summary>
/// <param name="Precision">Fraction of what was grouped that belongs together; low if people were merged.</param>
/// <param name="Recall">Fraction of what belongs together that was grouped; low if people were split.</param>
internal readonly record struct PrecisionRecall(double Precision, double Recall)
{
    /// <summary>Harmonic mean; 0 if both are 0.</summary>
    public double F => Precision + Recall > 0 ? 2 * Precision * Recall / (Precision + Recall) : 0;
}

/// <summary>How well a grouping matches known people.</summary>
/// <param name="Pairwise">Over pairs of faces; large people count by the square of their size.</param>
/// <param name="BCubed">Over faces (Bagga and Baldwin, 1998); every face has the same weight.</param>
/// <param name="People">Number of people.</param>
/// <param name="Groups">Number of groups.</param>
/// <param name="MergedGroups">Groups with more than one person.</param>
internal sealed record ClusteringScore(PrecisionRecall Pairwise, PrecisionRecall BCubed, int People, int Groups, int MergedGroups)
{
    /// <summary>Scores a grouping.</summary>
    /// <param name="groups">[N], the group of each face.</param>
    /// <param name="people">[N], the person of each face.</param>
    public static ClusteringScore Measure<TPerson>(IReadOnlyList<int> groups, IReadOnlyList<TPerson> people)
        where TPerson : notnull
    {
        if (groups.Count != people.Count || groups.Count == 0)
        {
            throw new ArgumentException($"{groups.Count} groups and {people.Count} people given; expected equal numbers, at least one.", nameof(groups));
        }

        Dictionary<int, int> groupSizes = groups.CountBy(g => g).ToDictionary();
        Dictionary<TPerson, int> personSizes = people.CountBy(p => p).ToDictionary();
        Dictionary<(int Group, TPerson Person), int> shared = groups.Zip(people).CountBy(face => (face.First, face.Second)).ToDictionary();

        double together = Pairs(shared.Values), grouped = Pairs(groupSizes.Values), belonging = Pairs(personSizes.Values);

        // A face's precision is the fraction of its group that is its person, summed over the faces that a group and a person share.
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

    private static double Pairs(IEnumerable<int> sizes) => sizes.Sum(n => n * (n - 1.0) / 2);
}
