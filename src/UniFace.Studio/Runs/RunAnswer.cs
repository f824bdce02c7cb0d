namespace UniFace.Studio.Runs;

/// <summary>A run in detail.</summary>
/// <param name="Summary">State and progress.</param>
/// <param name="Metrics">Rows of its metrics.jsonl, of the kinds "step" and "epoch".</param>
/// <param name="Whole">True if these are all rows; false if only those since the cursor that was sent.</param>
/// <param name="Cursor">To send as "after" next time, for the rows that follow these.</param>
/// <param name="Notes">Starts, warnings and ends.</param>
internal sealed record RunAnswer(RunSummary Summary, IReadOnlyList<JsonElement> Metrics, bool Whole, string Cursor, IReadOnlyList<RunNote> Notes);
