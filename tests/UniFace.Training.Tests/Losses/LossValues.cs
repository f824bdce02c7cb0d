using System.Globalization;
using UniFace.Training.Losses;

namespace UniFace.Training.Tests.Losses;

/// <summary>A loss's hyperparameters by name, for tests that run over every loss.</summary>
internal static class LossValues
{
    public static bool Has(this Loss loss, string name) => loss.Value(name) is not null;

    public static string Text(this Loss loss, string name) => loss.Value(name) ?? throw new KeyNotFoundException($"{loss.Name} has no {name}");

    public static double Number(this Loss loss, string name) => double.Parse(loss.Text(name), CultureInfo.InvariantCulture);

    public static bool Flag(this Loss loss, string name) => bool.Parse(loss.Text(name));
}
