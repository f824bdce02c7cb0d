using UniFace.Data;

namespace UniFace.Training.Data;

/// <summary>
/// Every person equally often, however many pictures they have: floor(pictures / people) times an epoch. A person's pictures come
/// in random order without replacement, over the epochs too: the next turn begins when all have been shown.
/// </summary>
public sealed class ClassBalancedSampler : ISampler
{
    private readonly int[][] byPerson;
    private readonly long seed;
    private readonly int draws;

    /// <summary>A sampler over a set in which every person has a picture.</summary>
    public ClassBalancedSampler(FaceDataset dataset, long seed)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        FaceDatasetCheck.Require(dataset);
        byPerson = dataset.SamplesByPerson();
        this.seed = seed;
        draws = dataset.Samples.Count / byPerson.Length;
        Length = draws * byPerson.Length;
    }

    /// <inheritdoc/>
    public int Length { get; }

    /// <inheritdoc/>
    public int[] Epoch(int epoch)
    {
        int[] order = new int[Length];
        int at = 0;
        for (int person = 0; person < byPerson.Length; person++)
        {
            int[] samples = byPerson[person];
            long turn = -1;
            int[] shuffled = [];
            for (int i = 0; i < draws; i++)
            {
                (long wanted, long place) = Math.DivRem(((long)epoch * draws) + i, samples.Length);
                if (wanted != turn)
                {
                    turn = wanted;
                    shuffled = [.. samples];
                    new SeededRandom(seed, RandomStream.BalancedPersonOrder, person, turn).Shuffle<int>(shuffled);
                }

                order[at++] = shuffled[place];
            }
        }

        new SeededRandom(seed, RandomStream.BalancedEpochOrder, epoch).Shuffle<int>(order);
        return order;
    }
}
