namespace UniFace.Training.Data;

/// <summary>
/// Samples every person equally often, floor(images / people) times per epoch. The images of a person come in random order without replacement,
/// also across epochs: the next round begins when all have been used.
/// </summary>
/// <param name="dataset">A set in which every person has an image.</param>
/// <param name="seed">Seed of the order.</param>
internal sealed class ClassBalancedSampler(FaceDataset dataset, long seed) : ISampler
{
    private readonly int[][] byPerson = dataset.SamplesByPerson();
    private readonly int draws = dataset.Samples.Count / dataset.People.Count;

    /// <inheritdoc/>
    public int Length => draws * byPerson.Length;

    /// <inheritdoc/>
    public int[] GetOrder(int epoch)
    {
        int[] order = new int[Length];
        int at = 0;
        for (int person = 0; person < byPerson.Length; person++)
        {
            int[] samples = byPerson[person];
            int[] shuffled = [];
            for (int i = 0; i < draws; i++)
            {
                (long round, long index) = Math.DivRem(((long)epoch * draws) + i, samples.Length);
                if (i == 0 || index == 0)
                {
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
