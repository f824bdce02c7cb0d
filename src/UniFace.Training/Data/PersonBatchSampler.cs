using UniFace.Data;

namespace UniFace.Training.Data;

/// <summary>
/// "PK" batches: P different people, K pictures of each, side by side (Hermans et al., "In Defense of the Triplet Loss", 2017).
/// People come in random order without replacement; those that do not fill a last batch of a turn sit it out. The K pictures of a person
/// are different where the person has as many, else they repeat.
/// </summary>
public sealed class PersonBatchSampler : ISampler
{
    private readonly int[][] byPerson;
    private readonly int people;
    private readonly int images;
    private readonly long seed;

    /// <summary>A sampler of batches of people * images pictures.</summary>
    /// <param name="dataset">A set in which every person has a picture.</param>
    /// <param name="people">P, different people a batch.</param>
    /// <param name="images">K, pictures of each.</param>
    /// <param name="seed">Seed of the order.</param>
    /// <exception cref="UniFaceException">The set has fewer people or pictures than a batch.</exception>
    public PersonBatchSampler(FaceDataset dataset, int people, int images, long seed)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        FaceDatasetCheck.Require(dataset);
        byPerson = dataset.SamplesByPerson();
        if (people < 1 || images < 1 || people > byPerson.Length || (long)people * images > dataset.Samples.Count)
        {
            throw new UniFaceException($"batches of {people} people x {images} images do not fit {dataset.Source} with {byPerson.Length} people and {dataset.Samples.Count} images; lower --batch or --images-per-person.");
        }

        this.people = people;
        this.images = images;
        this.seed = seed;
        Length = dataset.Samples.Count / (people * images) * (people * images);
    }

    /// <inheritdoc/>
    public int Length { get; }

    /// <inheritdoc/>
    public int[] Epoch(int epoch)
    {
        int[] order = new int[Length];
        int[] turnOfPeople = [.. Enumerable.Range(0, byPerson.Length)];
        int[] drawn = new int[byPerson.Length];
        int[][] shuffled = new int[byPerson.Length][];
        int groups = byPerson.Length / people;
        for (int batch = 0, at = 0; at < Length; batch++)
        {
            if (batch % groups == 0)
            {
                new SeededRandom(seed, RandomStream.PersonBatchOrder, epoch, batch / groups).Shuffle<int>(turnOfPeople);
            }

            for (int i = 0; i < people; i++)
            {
                int person = turnOfPeople[(batch % groups * people) + i];
                int[] samples = byPerson[person];
                int draws = Math.Max(samples.Length / images, 1); // before a person's pictures are shuffled anew
                (int turn, int draw) = Math.DivRem(drawn[person]++, draws);
                if (draw == 0)
                {
                    shuffled[person] = [.. samples];
                    new SeededRandom(seed, RandomStream.PersonBatchImages, epoch, person, turn).Shuffle<int>(shuffled[person]);
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
