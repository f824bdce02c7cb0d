using static TorchSharp.torch;

namespace UniFace.Training.Losses;

/// <summary>
/// Which classes a step uses: all, or every class of the batch and random others up to the share r of all,
/// one choice for the whole batch (Partial FC, and the UniFace paper's code). Of (seed, step) alone, both in a buffer.
/// </summary>
internal sealed class NegativeSampler : nn.Module
{
    private readonly int classes;
    private readonly double rate;

    public NegativeSampler(int classes, double rate, long seed)
        : base(nameof(NegativeSampler))
    {
        this.classes = classes;
        this.rate = rate;
        register_buffer("random", OwnedTensors.Buffer(tensor(new long[] { seed, 0 }))); // seed, step
    }

    public ClassSelection Select(Tensor labels)
    {
        if (rate >= 1)
        {
            return new ClassSelection(null, labels);
        }

        Tensor buffer = get_buffer("random")!;
        long[] state = buffer.cpu().data<long>().ToArray();
        buffer[1].add_(1);
        using Generator generator = new(SeededRandom.Mix(state[0], SeededRandom.NegativeStream, state[1]), CPU);
        Tensor priority = rand([classes], generator: generator); // [C], in [0, 1)
        Tensor positives = labels.cpu().unique(sorted: true).output; // [P]
        priority.index_fill_(0, positives, 2);
        long kept = Math.Max((long)(classes * rate), positives.shape[0]);
        Tensor chosen = priority.topk((int)kept, 0).indexes.sort(0).Values.to(labels.device); // [R]
        return new ClassSelection(chosen, searchsorted(chosen, labels));
    }
}
