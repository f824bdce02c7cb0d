using UniFace.Training.Optimization;

namespace UniFace.Training.Tests.Optimization;

/// <summary>The loss scale follows the rule of torch.amp.GradScaler, and a state that no run can have is refused.</summary>
public class LossScaleTests
{
    /// <summary>The rule again, in integers: the exponent of the scale, and the steps since it changed.</summary>
    [Fact]
    public void The_scale_halves_at_an_overflow_and_doubles_after_2000_steps_without_one()
    {
        LossScale scale = new();
        (int exponent, int good) = (16, 0);
        Random random = new(5);
        for (int step = 0; step < 60_000; step++)
        {
            if (random.Next(3500) == 0)
            {
                Assert.True(scale.TryReduce());
                (exponent, good) = (exponent - 1, 0);
            }
            else
            {
                scale.AddGoodStep();
                (exponent, good) = good == 1999 ? (exponent + 1, 0) : (exponent, good + 1);
            }

            Assert.Equal((Math.Pow(2, exponent), good), (scale.Value, scale.GoodSteps));
        }
    }

    [Fact]
    public void The_scale_ends_at_1_and_at_2_to_the_40()
    {
        LossScale scale = new() { GrowthInterval = 1 };
        Assert.Equal(16, Enumerable.Range(0, 100).Count(_ => scale.TryReduce()));
        Assert.Equal(1, scale.Value);
        for (int i = 0; i < 100; i++)
        {
            scale.AddGoodStep();
        }

        Assert.Equal(Math.Pow(2, 40), scale.Value);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(-65536, 0)]
    [InlineData(0.5, 0)]
    [InlineData(65535, 0)]
    [InlineData(double.NaN, 0)]
    [InlineData(double.PositiveInfinity, 0)]
    [InlineData(65536, -1)]
    [InlineData(65536, 2000)]
    public void A_state_that_no_run_can_have_is_refused(double value, int goodSteps) =>
        Assert.Contains("loss scale", Assert.Throws<FormatException>(() => new LossScale().Restore(value, goodSteps)).Message, StringComparison.Ordinal);
}
