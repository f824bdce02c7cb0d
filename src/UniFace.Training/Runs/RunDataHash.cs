using UniFace.Data.Identity;

namespace UniFace.Training.Runs;

/// <summary>
/// Completes the hash of a run's data (<see cref="RunInfo.DataHash"/>) from what training reads. Each rank adds the samples that it has read; rank 0 keeps
/// those of all in the run folder.
/// </summary>
internal sealed class RunDataHash : IDisposable
{
    private readonly string folder;
    private readonly FaceDataset whole;
    private readonly ContentHashes hashes;
    private readonly ICommunicator communicator;
    private bool completed;

    private RunDataHash(string folder, FaceDataset whole, ContentHashes hashes, ICommunicator communicator) =>
        (this.folder, this.whole, this.hashes, this.communicator) = (folder, whole, hashes, communicator);

    /// <summary>Begins, or continues from what was read before. Null for a run that was started without a fingerprint of its data.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="info">The description of the run.</param>
    /// <param name="whole">The whole training set, with the people held out; not disposed.</param>
    /// <param name="fresh">True: the run has no checkpoint, and what was read before does not count.</param>
    /// <param name="communicator">The processes that train together.</param>
    /// <exception cref="UniFaceException">The file cannot be written.</exception>
    public static RunDataHash? Open(string folder, RunInfo info, FaceDataset whole, bool fresh, ICommunicator communicator)
    {
        if (info.DataFingerprint is not string identity)
        {
            return null;
        }

        if (communicator.Rank > 0)
        {
            return new RunDataHash(folder, whole, ContentHashes.WithoutFile(whole), communicator);
        }

        string path = Path.Combine(folder, ContentHashes.FileName);
        if (fresh)
        {
            File.Delete(path);
        }

        return new RunDataHash(folder, whole, ContentHashes.Open(path, whole, identity), communicator);
    }

    /// <summary>Adds what was read of a sample, or compares it with what was read before. For several threads.</summary>
    /// <param name="index">Index of the sample in the whole set.</param>
    /// <param name="sha256">SHA-256 of its contents.</param>
    /// <exception cref="UniFaceException">The sample has changed, or the file cannot be written.</exception>
    public void Add(int index, ReadOnlySpan<byte> sha256) => hashes.Add(index, sha256);

    /// <summary>Makes durable what all ranks have added; before a checkpoint, so that it covers every image that the checkpoint has seen.</summary>
    /// <exception cref="UniFaceException">A sample has changed, or the file cannot be written.</exception>
    public void Commit()
    {
        communicator.CollectBytes(communicator.Rank > 0 ? hashes.TakeAdded() : [], (_, taken) => hashes.AddTaken(taken));
        hashes.Commit();
    }

    /// <summary>
    /// Completes the hash after an epoch: rank 0 reads what no rank has, such as people held out, writes run.json, and tells the other ranks.
    /// </summary>
    /// <param name="info">The description of the run.</param>
    /// <param name="progress">Called with 1 for each image read, from several threads, and the number of images to read.</param>
    /// <param name="cancellationToken">Stops the reading on all ranks.</param>
    /// <returns>The description with the hash.</returns>
    /// <exception cref="UniFaceException">The data has changed, or cannot be read.</exception>
    public RunInfo Complete(RunInfo info, Action<int, int>? progress, CancellationToken cancellationToken)
    {
        if (completed)
        {
            return info;
        }

        string hash = "";
        try
        {
            hash = communicator.Rank > 0 ? "" : hashes.IsComplete && info.HasDataHash ? info.DataHash : ReadAll(info, progress, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The other ranks wait for the hash.
        }

        hash = communicator.Broadcast(hash);
        if (hash.Length == 0)
        {
            MpiJob.EndTogether(communicator);
            throw new OperationCanceledException(cancellationToken);
        }

        completed = true;
        if (info.HasDataHash)
        {
            return info;
        }

        info = info with { DataHash = hash };
        if (communicator.Rank == 0)
        {
            RunFolder.WriteInfo(folder, info);
        }

        return info;
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => hashes.Dispose();

    private string ReadAll(RunInfo info, Action<int, int>? progress, CancellationToken cancellationToken)
    {
        int missing = whole.Samples.Count - hashes.Count;
        hashes.ReadMissing(done => progress?.Invoke(done, missing), cancellationToken);
        hashes.Commit();
        string hash = hashes.Combine();
        return !info.HasDataHash || info.DataHash == hash ? hash : throw new UniFaceException(
            $"{whole.Source} has changed since {folder} was started (its hash is {hash[..12]}, run.json says " +
            $"{info.DataHash[..Math.Min(12, info.DataHash.Length)]}). Restore the images, or start a new run.");
    }
}
