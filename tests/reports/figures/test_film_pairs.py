from reports.figures import film_pairs


def test_the_query_stands_once_and_every_system_has_a_column(compared):
    (film,) = compared.films
    figure = film_pairs.side_by_side(film, compared.names)
    (axes,) = figure.axes
    kinds = [patch.get_label() for patch in axes.patches]
    assert kinds == ["query", "right", "wrong"]
    _, right, wrong = (patch.get_x() for patch in axes.patches)
    assert wrong > right == 0
    assert {"nvan", "sta"} <= {text.get_text() for text in axes.texts}
    assert figure.get_suptitle().replace("\n", " ") == (
        "Test row 3, person 7, camera 2: AP nvan 90.0 %, sta 10.0 %"
    )
