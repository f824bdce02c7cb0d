namespace UniFace.Training.Optimization;

/// <summary>How the learning rate decays over the run.</summary>
public enum ScheduleKind
{
    /// <summary>base * (1 - step / total) ^ power.</summary>
    Poly,

    /// <summary>base / 10 at each of the given epochs.</summary>
    Step,

    /// <summary>base * (1 + cos(pi * step / total)) / 2.</summary>
    Cosine,
}

/// <summary>
/// The learning rate of each step: a linear warm-up, (step + 1) / warm-up, times the decay. A pure function of the step, so that resuming
/// needs no state.
/// </summary>
/// <param name="Kind">The decay.</param>
/// <param name="BaseRate">The rate before decay and after warm-up.</param>
/// <param name="TotalSteps">Steps of the whole run.</param>
/// <param name="WarmupSteps">Steps of the warm-up; 0 for none.</param>
/// <param name="Power">Power of <see cref="ScheduleKind.Poly"/>.</param>
/// <param name="Milestones">Steps at which <see cref="ScheduleKind.Step"/> divides by 10, ascending.</param>
internal sealed record LearningRateSchedule(
    ScheduleKind Kind, double BaseRate, long TotalSteps, long WarmupSteps = 0, double Power = 2, IReadOnlyList<long>? Milestones = null)
{
    /// <summary>The rate of a step.</summary>
    /// <param name="step">Steps taken before it.</param>
    public double At(long step)
    {
        double warmup = WarmupSteps > 0 ? Math.Min(1, (step + 1.0) / WarmupSteps) : 1;
        double done = TotalSteps > 0 ? Math.Clamp((double)step / TotalSteps, 0, 1) : 0;
        double decay = Kind switch
        {
            ScheduleKind.Poly => Math.Pow(1 - done, Power),
            ScheduleKind.Step => Math.Pow(0.1, Milestones?.Count(m => step >= m) ?? 0),
            _ => 0.5 * (1 + Math.Cos(Math.PI * done)),
        };
        return BaseRate * warmup * decay;
    }
}
