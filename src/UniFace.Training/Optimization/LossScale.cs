namespace UniFace.Training.Optimization;

/// <summary>
/// The factor on gradients that pass through float16, so that small ones are not rounded to 0 (Micikevicius et al. 2018), with the rule and the
/// numbers of torch.amp.GradScaler: halved when a gradient overflows, which skips the step, and doubled after 2000 steps without an overflow.
/// A power of two, so that it does not change the rounding of what neither overflows nor underflows.
/// </summary>
internal sealed class LossScale
{
    /// <summary>The scale of the first step.</summary>
    public const double Initial = 65536;

    /// <summary>The smallest scale: gradients that overflow without a scale cannot be trained in float16.</summary>
    public const double Minimum = 1;

    /// <summary>The largest scale, well within float32.</summary>
    public const double Maximum = 1L << 40;

    /// <summary>The scale of the next step.</summary>
    public double Value { get; private set; } = Initial;

    /// <summary>Steps without an overflow since the scale has changed.</summary>
    public int GoodSteps { get; private set; }

    /// <summary>Steps after which the scale is doubled; smaller in tests.</summary>
    public int GrowthInterval { get; init; } = 2000;

    /// <summary>Counts a step without an overflow.</summary>
    public void AddGoodStep()
    {
        if (++GoodSteps >= GrowthInterval)
        {
            (Value, GoodSteps) = (Math.Min(2 * Value, Maximum), 0);
        }
    }

    /// <summary>Halves the scale after an overflow; false if it is the smallest.</summary>
    public bool TryReduce()
    {
        GoodSteps = 0;
        if (Value <= Minimum)
        {
            return false;
        }

        Value /= 2;
        return true;
    }

    /// <summary>Divides gradients by the scale.</summary>
    /// <param name="parameters">The parameters whose gradients were scaled; those without a gradient are skipped.</param>
    public void Unscale(IEnumerable<NamedParameter> parameters)
    {
        using NoGradScope scope = new();
        foreach (NamedParameter parameter in parameters)
        {
            parameter.Value.grad?.mul_((float)(1 / Value));
        }
    }

    /// <summary>Restores the state of a checkpoint.</summary>
    /// <exception cref="FormatException">No run can have this state.</exception>
    public void Restore(double value, int goodSteps)
    {
        if (!(value >= Minimum && value <= Maximum && double.IsPow2(value) && goodSteps >= 0 && goodSteps < GrowthInterval))
        {
            throw new FormatException(string.Create(
                CultureInfo.InvariantCulture,
                $"the loss scale {value} after {goodSteps} good steps is impossible; expected a power of two from {Minimum} to {Maximum}, and 0 to " +
                $"{GrowthInterval - 1} steps"));
        }

        (Value, GoodSteps) = (value, goodSteps);
    }
}
