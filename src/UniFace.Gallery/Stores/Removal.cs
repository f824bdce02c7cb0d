namespace UniFace.Gallery.Stores;

/// <summary>Removes people in two steps: first from searches and lists, then their bytes from the store's files.</summary>
internal static class Removal
{
    /// <summary>Removes a person and erases; also erases what an interrupted removal left if the person is not enrolled.</summary>
    /// <returns>True if the person was removed.</returns>
    public static async Task<bool> RunAsync(Func<Task<bool>> remove, Func<Task> erase)
    {
        bool removed = await remove().ConfigureAwait(false);
        try
        {
            await erase().ConfigureAwait(false);
            return removed;
        }
        catch (UniFaceException e)
        {
            throw NotErasedException.Create(e, removed);
        }
    }
}
