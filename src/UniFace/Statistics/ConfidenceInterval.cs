namespace UniFace.Statistics;

/// <summary>A confidence interval.</summary>
/// <param name="Low">Lower bound.</param>
/// <param name="High">Upper bound.</param>
internal readonly record struct ConfidenceInterval(double Low, double High);
