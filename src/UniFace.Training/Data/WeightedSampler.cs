namespace UniFace.Training.Data;

/// <summary>
/// Images of several sets by weight. An epoch draws weight x images from each set, rounded, at least one: with weight 1 each image once, with 0.5 half of
/// them, with 2 each twice. The images of a set come in random order without replacement, also across epochs: with weight 0.5, two epochs draw each image
/// once. The draws of all sets are shuffled together.
/// </summary>
/// <param name="dataset">The merged sets.</param>
/// <param name="weights">Weight of each set, above 0.</param>
/// <param name="seed">Seed of the order.</param>
/// <exception cref="UniFaceException">An epoch has more images than an index can number.</exception>
internal sealed class WeightedSampler(FaceDataset dataset, IReadOnlyList<double> weights, long seed) : ISampler
{
    private readonly int[][] byPart = SamplesByPart(dataset, weights.Count);

    /// <inheritdoc/>
    public int Length { get; } = CountDraws(dataset, weights);

    /// <inheritdoc/>
    public int[] GetOrder(int epoch)
    {
        int[] order = new int[Length];
        int at = 0;
        for (int part = 0; part < byPart.Length; part++)
        {
            int draws = Draws(byPart[part].Length, weights[part]);
            for (long round = -1, done = 0; done < draws;)
            {
                (round, long index) = Math.DivRem(((long)epoch * draws) + done, byPart[part].Length);
                int[] shuffled = [.. byPart[part]];
                new SeededRandom(seed, RandomStream.WeightedSetOrder, part, round).Shuffle<int>(shuffled);
                int count = (int)Math.Min(shuffled.Length - index, draws - done);
                Array.Copy(shuffled, index, order, at, count);
                at += count;
                done += count;
            }
        }

        new SeededRandom(seed, RandomStream.EpochOrder, epoch).Shuffle<int>(order);
        return order;
    }

    private static int Draws(int images, double weight) =>
        images == 0 ? 0 : (int)Math.Clamp(Math.Round(images * weight), 1, Array.MaxLength);

    private static int CountDraws(FaceDataset dataset, IReadOnlyList<double> weights)
    {
        long draws = SamplesByPart(dataset, weights.Count).Select((samples, part) => (long)Draws(samples.Length, weights[part])).Sum();
        return draws <= Array.MaxLength
            ? (int)draws
            : throw new UniFaceException($"{dataset.Source}: the weights give {draws} images per epoch, expected at most {Array.MaxLength}; lower them.");
    }

    private static int[][] SamplesByPart(FaceDataset dataset, int parts)
    {
        int[] counts = new int[parts];
        for (int i = 0; i < dataset.Samples.Count; i++)
        {
            counts[dataset.PartOf(i)]++;
        }

        int[][] byPart = [.. counts.Select(count => new int[count])];
        for (int i = 0; i < dataset.Samples.Count; i++)
        {
            int part = dataset.PartOf(i);
            byPart[part][^counts[part]--] = i;
        }

        return byPart;
    }
}
