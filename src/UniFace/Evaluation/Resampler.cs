namespace UniFace.Evaluation;

/// <summary>Draws data again: how often each ranked pair counts in a replicate.</summary>
internal interface IResampler
{
    /// <summary>Fills the weight of each rank; false where the draw has no pair of one person, or none of two people.</summary>
    bool Draw(int[] weights, SeededRandom random);
}

/// <summary>Draws pairs with replacement, as many of one person and as many of two people as there are.</summary>
internal sealed class PairResampler : IResampler
{
    private readonly int[] same;
    private readonly int[] different;

    public PairResampler(RankedScores ranked)
    {
        same = [.. Enumerable.Range(0, ranked.Same.Length).Where(rank => ranked.Same[rank])];
        different = [.. Enumerable.Range(0, ranked.Same.Length).Where(rank => !ranked.Same[rank])];
    }

    public bool Draw(int[] weights, SeededRandom random)
    {
        Array.Clear(weights);
        DrawOf(same, weights, random);
        DrawOf(different, weights, random);
        return true;
    }

    private static void DrawOf(int[] ranks, int[] weights, SeededRandom random)
    {
        for (int i = 0; i < ranks.Length; i++)
        {
            weights[ranks[random.Next(ranks.Length)]]++;
        }
    }
}

/// <summary>Draws people with replacement, and with them their pairs.</summary>
internal sealed class PersonResampler : IResampler
{
    private readonly int people;
    private readonly int[] first; // [ranks] dense index of each pair's people
    private readonly int[] second;
    private readonly bool[] same;

    public PersonResampler(VerificationScores scores, RankedScores ranked)
    {
        same = ranked.Same;
        Dictionary<int, int> dense = [];
        first = [.. ranked.Pairs.Select(pair => Index(scores.FirstPersonArray![pair]))];
        second = [.. ranked.Pairs.Select(pair => Index(scores.SecondPersonArray![pair]))];
        people = dense.Count;

        int Index(int person)
        {
            if (!dense.TryGetValue(person, out int index))
            {
                dense.Add(person, index = dense.Count);
            }

            return index;
        }
    }

    public bool Draw(int[] weights, SeededRandom random)
    {
        int[] drawn = new int[people];
        for (int i = 0; i < people; i++)
        {
            drawn[random.Next(people)]++;
        }

        bool anySame = false;
        bool anyDifferent = false;
        for (int rank = 0; rank < weights.Length; rank++)
        {
            int weight = same[rank] ? drawn[first[rank]] : drawn[first[rank]] * drawn[second[rank]];
            weights[rank] = weight;
            anySame |= same[rank] && weight > 0;
            anyDifferent |= !same[rank] && weight > 0;
        }

        return anySame && anyDifferent;
    }
}
