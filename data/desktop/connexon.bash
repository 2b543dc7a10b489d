# Completion of connexon: options, projects, volumes, folders.
_connexon() {
    local current=${COMP_WORDS[COMP_CWORD]}
    if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W '--sample --new-instance --list-shortcuts --version --help' -- "$current")
        return
    fi
    compopt -o filenames
    mapfile -t COMPREPLY < <(
        compgen -d -- "$current"
        compgen -f -X '!*.@(connexon|tif|tiff|h5|hdf|hdf5|png|zarr)' -- "$current"
    )
}
shopt -s extglob
complete -F _connexon connexon
