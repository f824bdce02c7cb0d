using CsCheck;
using UniFace.Training.Optimization;

namespace UniFace.Training.Tests.Optimization;

public class ScheduleTests
{
    [Fact]
    public void Poly_is_the_reference_recipe_to_the_last_bit()
    {
        LearningRateSchedule schedule = new(ScheduleKind.Poly, 0.1, 960, WarmupSteps: 150, Power: 2);
        for (int step = 0; step < 960; step++)
        {
            double left = 1 - (step / 960.0);
            Assert.Equal(0.1 * Math.Min(1, (step + 1) / 150.0) * left * left, schedule.At(step), 1e-15);
        }
    }

    [Fact]
    public void Step_divides_by_ten_at_each_milestone()
    {
        LearningRateSchedule schedule = new(ScheduleKind.Step, 0.1, 100, Milestones: [50, 80]);
        Assert.Equal(0.1, schedule.At(49), 1e-15);
        Assert.Equal(0.01, schedule.At(50), 1e-15);
        Assert.Equal(0.01, schedule.At(79), 1e-15);
        Assert.Equal(0.001, schedule.At(80), 1e-15);
    }

    [Fact]
    public void The_cosine_schedule_is_1_at_the_start_one_half_in_the_middle_and_0_at_the_end()
    {
        LearningRateSchedule schedule = new(ScheduleKind.Cosine, 0.4, 100);
        Assert.Equal(0.4, schedule.At(0), 1e-15);
        Assert.Equal(0.2, schedule.At(50), 1e-15);
        Assert.Equal(0, schedule.At(100), 1e-15);
    }

    [Fact]
    public void Any_rate_lies_between_zero_and_the_base_and_falls_after_the_warm_up() =>
        Gen.Select(Gen.Enum<ScheduleKind>(), Gen.Int[2, 500], Gen.Int[0, 50], Gen.Double[0.5, 3]).Sample((kind, total, warmup, power) =>
        {
            LearningRateSchedule schedule = new(kind, 0.1, total, warmup, power, [total / 3, total / 2]);
            for (int step = 0; step < total; step++)
            {
                Assert.InRange(schedule.At(step), 0, 0.1);
                Assert.True(step < warmup || schedule.At(step + 1) <= schedule.At(step) + 1e-15);
            }
        });
}
