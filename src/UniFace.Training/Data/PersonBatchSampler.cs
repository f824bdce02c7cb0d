namespace UniFace.Training.Data;

/// <summary>
/// "PK" batches: P different people with K images each, adjacent (Hermans et al., "In Defense of the Triplet Loss", 2017). People come in random
/// order without replacement; those left over after the last full batch of a round skip that round. The K images of a person are distinct if
/// the person has that many, else they repeat.
/// </summary>
/// <param name="dataset">A set in which every person has an image.</param>
/// <param name="people">P, different people per batch.</param>
/// <param name="images">K, images per person.</param>
/// <param name="seed">Seed of the order.</param>
/// <exception cref="UniFaceException">The set has fewer people or images than a batch.</exception>
internal sealed class PersonBatchSampler(FaceDataset dataset, int people, int images, long seed) : ISampler
{
    private readonly int[][] byPerson = people <= dataset.People.Count && (long)people * images <= dataset.Samples.Count
        ? dataset.SamplesByPerson()
        : throw new UniFaceException(
            $"batches of {people} people x {images} images do not fit {dataset.Source} with {dataset.People.Count} people and " +
            $"{dataset.Samples.Count} images; choose a smaller batch or fewer images per person.");

    /// <inheritdoc/>
    public int Length => dataset.Samples.Count / (people * images) * (people * images);

    /// <inheritdoc/>
    public int[] GetOrder(int epoch)
    {
        int[] order = new int[Length];
        int[] peopleOrder = [.. Enumerable.Range(0, byPerson.Length)];
        int[] drawn = new int[byPerson.Length];
        int[][] shuffled = new int[byPerson.Length][];
        int groups = byPerson.Length / people;
        for (int batch = 0, at = 0; at < Length; batch++)
        {
            if (batch % groups == 0)
            {
                new SeededRandom(seed, RandomStream.PersonBatchOrder, epoch, batch / groups).Shuffle<int>(peopleOrder);
            }

            for (int i = 0; i < people; i++)
            {
                int person = peopleOrder[(batch % groups * people) + i];
                int[] samples = byPerson[person];
                int draws = Math.Max(samples.Length / images, 1); // before the images of a person are shuffled again
                (int round, int draw) = Math.DivRem(drawn[person]++, draws);
                if (draw == 0)
                {
                    shuffled[person] = [.. samples];
                    new SeededRandom(seed, RandomStream.PersonBatchImages, epoch, person, round).Shuffle<int>(shuffled[person]);
                }

                for (int k = 0; k < images; k++)
                {
                    order[at++] = shuffled[person][((draw * images) + k) % samples.Length];
                }
            }
        }

        return order;
    }
}
