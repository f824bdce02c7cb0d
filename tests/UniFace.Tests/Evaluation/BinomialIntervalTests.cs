using UniFace.Statistics;

namespace UniFace.Tests.Evaluation;

/// <summary>The intervals are the exact ones of Clopper and Pearson, and contain the measured rate.</summary>
public class BinomialIntervalTests
{
    // scipy.stats.beta.ppf(0.025, k, n - k + 1) and beta.ppf(0.975, k + 1, n - k).
    [Theory]
    [InlineData(0, 10, 0, 0.3084971078187608)]
    [InlineData(10, 10, 0.6915028921812392, 1)]
    [InlineData(3, 3000, 0.0002062715371622571, 0.0029196164652532663)]
    [InlineData(1, 100, 0.00025314603297742064, 0.054459385392080645)]
    [InlineData(50, 100, 0.39832112950330106, 0.6016788704966989)]
    [InlineData(30, 3_000_000, 6.746967856751367e-06, 1.4275591279708082e-05)]
    [InlineData(7, 12, 0.2766696856821058, 0.8483477701915698)]
    public void The_interval_equals_SciPys(long events, long trials, double low, double high)
    {
        ConfidenceInterval interval = BinomialInterval.ClopperPearson(events, trials);
        Assert.Equal(low, interval.Low, Math.Max(1e-15, low * 1e-7));
        Assert.Equal(high, interval.High, high * 1e-7);
    }

    [Fact]
    public void The_interval_contains_the_measured_rate_and_narrows_with_more_trials()
    {
        for (long trials = 1; trials <= 64; trials *= 4)
        {
            for (long events = 0; events <= trials; events++)
            {
                ConfidenceInterval interval = BinomialInterval.ClopperPearson(events, trials);
                Assert.InRange(events / (double)trials, interval.Low, interval.High);
                ConfidenceInterval more = BinomialInterval.ClopperPearson(4 * events, 4 * trials);
                Assert.True(more.High - more.Low < interval.High - interval.Low);
            }
        }
    }

    [Fact]
    public void The_one_sided_bound_without_events_is_the_rule_of_three() =>
        Assert.Equal(3.0 / 10_000, BinomialInterval.ClopperPearson(0, 10_000, 0.90).High, 3e-6); // 90 % two-sided is 95 % one-sided

    [Fact]
    public void Invalid_arguments_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => BinomialInterval.ClopperPearson(5, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => BinomialInterval.ClopperPearson(0, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => BinomialInterval.ClopperPearson(1, 4, 1));
    }
}
