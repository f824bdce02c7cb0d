namespace UniFace.Synthetic;

/// <summary>What a draw is for. The values are part of every draw: append new ones at the end.</summary>
internal enum FaceStream
{
    /// <summary>A person.</summary>
    Person = 1,

    /// <summary>Pose, expression, light and camera of an image.</summary>
    Scene,

    /// <summary>Freckles of a person.</summary>
    Freckles,

    /// <summary>Strands of a person's hair.</summary>
    Strands,

    /// <summary>Strands of a person's beard.</summary>
    Beard,

    /// <summary>Curls of a person's hair.</summary>
    Curls,

    /// <summary>What covers the face in an image.</summary>
    Occlusion,

    /// <summary>Background and clothes of an image.</summary>
    Backdrop,

    /// <summary>Noise of an image's camera.</summary>
    Noise,

    /// <summary>Position of the head in an image.</summary>
    Position,
}

/// <summary>
/// The random numbers of synthetic faces: SplitMix64 over a hashed key. A key (seed, person, image, stream) always gives
/// the same numbers, on every machine and independent of earlier draws.
/// </summary>
internal sealed class FaceRandom
{
    private ulong state;

    public FaceRandom(FaceStream stream, long seed, long person = 0, long image = 0)
    {
        state = 0x243F6A8885A308D3UL;
        foreach (long part in (ReadOnlySpan<long>)[seed, person, image, (long)stream])
        {
            state ^= (ulong)part;
            state = Next();
        }
    }

    /// <summary>64 random bits.</summary>
    public ulong Next() => SeededRandom.SplitMix(ref state);

    /// <summary>Uniform in [0, 1).</summary>
    public float Unit() => (Next() >> 40) * (1f / (1 << 24));

    /// <summary>Uniform in [low, high).</summary>
    public float Range(float low, float high) => low + ((high - low) * Unit());

    /// <summary>Uniform in [-size, size).</summary>
    public float Around(float size) => Range(-size, size);

    /// <summary>Roughly normal with mean 0 and the given deviation, never over 3.5 deviations.</summary>
    public float Bell(float deviation) => (Unit() + Unit() + Unit() + Unit() - 2) * 1.7320508f * deviation;

    /// <summary>True with the given chance.</summary>
    public bool Chance(float probability) => Unit() < probability;

    /// <summary>Uniform in 0 .. count - 1.</summary>
    public int Below(int count) => (int)(Next() % (ulong)count);
}
