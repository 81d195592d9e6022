"""The Streamlit app behind `prorank ui`: one query, both rankings side by side."""
