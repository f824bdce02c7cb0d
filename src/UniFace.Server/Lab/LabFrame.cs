using UniFace.Training.Losses;

namespace UniFace.Server.Lab;

/// <summary>A lesson: ten classes of invented data, learned with each of some losses from one start.</summary>
/// <param name="Losses">One or two losses.</param>
/// <param name="Dimensions">2 or 3: values in an embedding.</param>
/// <param name="Steps">Optimizer steps, 1 to 2,000.</param>
/// <param name="Every">A frame each so many steps.</param>
/// <param name="Seed">Decides the data, the network's start and the batches.</param>
public sealed record Lesson(IReadOnlyList<Loss> Losses, int Dimensions, int Steps = 600, int Every = 6, long Seed = 1);

/// <summary>How far the lesson has come.</summary>
/// <param name="Step">Steps taken.</param>
/// <param name="Steps">Steps in all.</param>
/// <param name="Labels">[N]: the class of each sample, 0 to 9.</param>
/// <param name="Worlds">What each loss has made of the samples.</param>
public sealed record LabFrame(int Step, int Steps, IReadOnlyList<int> Labels, IReadOnlyList<LabWorld> Worlds);

/// <summary>Where one loss has brought samples and class centers.</summary>
/// <param name="Loss">The loss in full.</param>
/// <param name="LossValue">Mean loss of the steps since the frame before.</param>
/// <param name="Accuracy">Share of the samples whose own class center is the nearest by angle.</param>
/// <param name="IntraAngle">Mean angle of a sample to the mean direction of its class, radians.</param>
/// <param name="InterAngle">Mean over the classes of the angle to the nearest other class's mean direction, radians.</param>
/// <param name="Embeddings">[N, D]: the samples, scaled so that nine in ten lie within length 1.</param>
/// <param name="Centers">[10, D]: the class centers' directions.</param>
public sealed record LabWorld(
    string Loss,
    double LossValue,
    double Accuracy,
    double IntraAngle,
    double InterAngle,
    IReadOnlyList<float[]> Embeddings,
    IReadOnlyList<float[]> Centers);
