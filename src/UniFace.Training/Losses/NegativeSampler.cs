using UniFace.Training.Native;
using static TorchSharp.torch;

namespace UniFace.Training.Losses;

/// <summary>
/// Which classes a step uses: all, or every class of the step and random others up to the share r of all,
/// one choice for the whole step (Partial FC, An et al., and the UniFace paper's code). Of (seed, step) alone, both in a buffer.
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

    /// <summary>Chooses for the next step.</summary>
    public ClassSelection Select(IEnumerable<long> labels)
    {
        if (rate >= 1)
        {
            return new ClassSelection(classes);
        }

        using TorchSharp.DisposeScope scope = NewDisposeScope();
        Tensor buffer = get_buffer("random")!;
        long[] state = buffer.cpu().data<long>().ToArray();
        buffer[1].add_(1);
        return new ClassSelection(classes, labels, (int)(classes * rate), SeededRandom.Mix(state[0], SeededRandom.NegativeStream, state[1]));
    }
}
