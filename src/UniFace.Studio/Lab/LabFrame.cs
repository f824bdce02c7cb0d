using UniFace.Training.Losses;

namespace UniFace.Studio.Lab;

/// <summary>A session: a small network learns ten classes of synthetic data with each loss, from the same start.</summary>
/// <param name="Losses">One or two losses.</param>
/// <param name="Dimensions">Embedding size, 2 or 3.</param>
/// <param name="Steps">Optimizer steps, 1 to 2,000.</param>
/// <param name="Seed">Seed of the data, the initial weights and the batches.</param>
internal sealed record LabSession(IReadOnlyList<Loss> Losses, int Dimensions, int Steps, long Seed);

/// <summary>State of a session of the margin lab.</summary>
/// <param name="Step">Steps taken.</param>
/// <param name="Steps">Steps in total.</param>
/// <param name="Labels">[N]: the class of each sample, 0 to 9.</param>
/// <param name="Worlds">State for each loss.</param>
internal sealed record LabFrame(int Step, int Steps, IReadOnlyList<int> Labels, IReadOnlyList<LabWorld> Worlds);

/// <summary>Samples and class centers as one loss has placed them.</summary>
/// <param name="Loss">The loss in full.</param>
/// <param name="LossValue">Mean loss of the steps since the previous frame.</param>
/// <param name="Accuracy">Share of the samples whose nearest class center by angle is their own.</param>
/// <param name="IntraAngle">Mean angle between a sample and the mean direction of its class, radians.</param>
/// <param name="InterAngle">Mean angle between a class's mean direction and the nearest other, radians.</param>
/// <param name="Embeddings">[N, D]: the samples, scaled so that 90 % have a length of at most 1.</param>
/// <param name="Centers">[10, D]: directions of the class centers.</param>
internal sealed record LabWorld(
    string Loss,
    double LossValue,
    double Accuracy,
    double IntraAngle,
    double InterAngle,
    IReadOnlyList<float[]> Embeddings,
    IReadOnlyList<float[]> Centers);
