namespace UniFace.Training.Data;

/// <summary>
/// Samples every person equally often, floor(images / people) times per epoch. The images of a person come in random order without replacement,
/// also across epochs: the next round begins when all have been used.
/// </summary>
internal sealed class ClassBalancedSampler : ISampler
{
    private readonly int[][] byPerson;
    private readonly long seed;
    private readonly int draws;

    /// <summary>A sampler over a set in which every person has an image.</summary>
    public ClassBalancedSampler(FaceDataset dataset, long seed)
    {
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
            long round = -1;
            int[] shuffled = [];
            for (int i = 0; i < draws; i++)
            {
                (long wanted, long index) = Math.DivRem(((long)epoch * draws) + i, samples.Length);
                if (wanted != round)
                {
                    round = wanted;
                    shuffled = [.. samples];
                    new SeededRandom(seed, RandomStream.BalancedPersonOrder, person, round).Shuffle<int>(shuffled);
                }

                order[at++] = shuffled[index];
            }
        }

        new SeededRandom(seed, RandomStream.BalancedEpochOrder, epoch).Shuffle<int>(order);
        return order;
    }
}
