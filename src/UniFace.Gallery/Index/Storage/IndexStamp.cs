namespace UniFace.Gallery.Index.Storage;

/// <summary>The state that an index was stored for; the index can be used only if all of it still holds.</summary>
/// <param name="Owner">The gallery that the rows belong to; up to 128 characters.</param>
/// <param name="ContractId">Contract id of the model that computed the rows; up to 128 characters.</param>
/// <param name="Change">The gallery's change counter when the index was stored.</param>
internal sealed record IndexStamp(string Owner, string ContractId, long Change);
