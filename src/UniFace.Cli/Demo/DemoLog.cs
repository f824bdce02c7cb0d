using System.Diagnostics;
using System.Globalization;

namespace UniFace.Cli.Demo;

/// <summary>The demo's steps as a person reads them, with the time of each.</summary>
internal sealed class DemoLog(TextWriter writer, int steps)
{
    private readonly Stopwatch total = Stopwatch.StartNew();
    private readonly Dictionary<string, double> seconds = [];
    private int number;

    /// <summary>Seconds since the start.</summary>
    public double Seconds => total.Elapsed.TotalSeconds;

    /// <summary>Seconds of each step so far.</summary>
    public IReadOnlyDictionary<string, double> StepSeconds => seconds;

    /// <summary>A line.</summary>
    public void Say(string text) => writer.WriteLine(text);

    /// <summary>Does a step: says what, does it, says what came of it and how long it took.</summary>
    public T Step<T>(string name, string what, Func<T> work, Func<T, string> result)
    {
        number++;
        writer.WriteLine($"[{number}/{steps}] {what}");
        Stopwatch clock = Stopwatch.StartNew();
        T value = work();
        seconds[name] = Math.Round(clock.Elapsed.TotalSeconds, 3);
        writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"      {result(value)}  ({clock.Elapsed.TotalSeconds:F1} s)"));
        return value;
    }
}
