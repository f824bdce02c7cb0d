namespace UniFace.Evaluation.Verification;

/// <summary>Resamples data: how often each ranked pair counts in a replicate.</summary>
internal interface IResampler
{
    /// <summary>Fills the weight of each rank; false if the draw has no mated or no non-mated pair.</summary>
    bool Draw(int[] weights, SeededRandom random);
}

/// <summary>Draws pairs with replacement, as many mated and as many non-mated ones as there are.</summary>
internal sealed class PairResampler(RankedScores ranked) : IResampler
{
    private readonly int[] same = [.. Enumerable.Range(0, ranked.Same.Length).Where(rank => ranked.Same[rank])];
    private readonly int[] different = [.. Enumerable.Range(0, ranked.Same.Length).Where(rank => !ranked.Same[rank])];

    public bool Draw(int[] weights, SeededRandom random)
    {
        Array.Clear(weights);
        Draw(same, weights, random);
        Draw(different, weights, random);
        return true;
    }

    private static void Draw(int[] ranks, int[] weights, SeededRandom random)
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
    private readonly Dictionary<int, int> people; // to the index of the draw
    private readonly int[] first; // [ranks] index of each pair's people
    private readonly int[] second;
    private readonly bool[] same;

    /// <summary>Resamples the people of scores.</summary>
    /// <param name="scores">The scores.</param>
    /// <param name="ranked">Their ranking.</param>
    /// <param name="like">Draws the same people from the same random numbers, for other scores of the same pairs; or null.</param>
    public PersonResampler(VerificationScores scores, RankedScores ranked, PersonResampler? like = null)
    {
        same = ranked.Same;
        people = like?.people ?? [];
        first = [.. ranked.Pairs.Select(pair => Index(scores.FirstPeople[pair]))];
        second = [.. ranked.Pairs.Select(pair => Index(scores.SecondPeople[pair]))];

        int Index(int person)
        {
            _ = people.TryAdd(person, people.Count);
            return people[person];
        }
    }

    /// <summary>Number of people.</summary>
    public int People => people.Count;

    public bool Draw(int[] weights, SeededRandom random)
    {
        int[] drawn = new int[people.Count];
        for (int i = 0; i < drawn.Length; i++)
        {
            drawn[random.Next(drawn.Length)]++;
        }

        bool anySame = false, anyDifferent = false;
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
